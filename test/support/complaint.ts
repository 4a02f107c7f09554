import { readdirSync } from 'node:fs'
import { expect } from 'vitest'
import { dag } from './dag.ts'
import { finishedWorkspace, type Workspace, workflowFile } from './workspace.ts'

/** What the program says of a workspace that was changed so; nothing may have been started. */
export async function complaint(change: (workspace: Workspace) => void): Promise<string> {
  const workspace = finishedWorkspace()
  change(workspace)
  const runsBefore = readdirSync(workspace.at('cache/runs')).length
  const result = await dag(workspace.folder, ['run', workflowFile])
  expect(result.code).toBe(2)
  expect(result.stdout).toBe('')
  expect(readdirSync(workspace.at('cache/runs'))).toHaveLength(runsBefore)
  return result.stderr
}
