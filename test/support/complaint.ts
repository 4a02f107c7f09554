import { cpSync, readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { dag } from './dag.ts'
import { finishedWorkspace, type Workspace, workflowFile } from './workspace.ts'

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

/** A mistake in words, how it comes about, and all that the program says of it. */
export type Case = readonly [mistake: string, change: (workspace: Workspace) => void, text: string]

/** A test for each mistake. */
export function refuses(cases: readonly Case[]): void {
  test.for(cases)('%s is refused with its place', async ([, change, text]) => {
    expect(await complaint(change)).toBe(text)
  })
}

/** Puts a changed copy in the place of the organism alpha; `change` is given the names of its files. */
export function ownAdapter(workspace: Workspace, change: (file: (name: string) => string) => void): void {
  cpSync(workspace.at('models/organisms/alpha'), workspace.at('organisms/own'), { recursive: true })
  workspace.edit('organisms/list.yaml', 'alpha: { adapter: ../models/organisms/alpha }', 'alpha: { adapter: own }')
  change((name) => `organisms/own/${name}`)
}
