import { mkdirSync, readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { dag } from '../support/dag.ts'
import { finishedWorkspace, promptSet, type Workspace, workflowFile } from '../support/workspace.ts'

/** What the program says of a workspace that was changed so; nothing may have been started. */
async function complaint(change: (workspace: Workspace) => void): Promise<string> {
  const workspace = finishedWorkspace()
  change(workspace)
  const runsBefore = readdirSync(workspace.at('cache/runs')).length
  const result = await dag(workspace.folder, ['run', workflowFile])
  expect(result.code).toBe(2)
  expect(result.stdout).toBe('')
  expect(readdirSync(workspace.at('cache/runs'))).toHaveLength(runsBefore)
  return result.stderr
}

const cases: [string, (workspace: Workspace) => void, string][] = [
  [
    'an unknown key',
    (w) => w.edit(workflowFile, 'max_new_tokens: 6', 'max_new_token: 6'),
    `workflows/audit.yaml:9:3: error: "steps.answers" lacks the key "max_new_tokens" [missing-key]
  9 |   answers:
    |   ^^^^^^^
`,
  ],
]

test.for(cases)('%s', async ([, change, text]) => {
  expect(await complaint(change)).toBe(text)
})

export { mkdirSync, promptSet }
