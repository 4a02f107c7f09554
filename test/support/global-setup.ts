import { rmSync } from 'node:fs'
import { dag } from './dag.ts'
import { elicited, finished, variants } from './paths.ts'
import makeTinyModels from './tiny-models.ts'
import { elicitedText, makeWorkspaceAt, variantsText, workflowFile, workflowText } from './workspace.ts'

/** Makes the small models once, and finished workspaces for this run of the tests. */
export default async function setup(): Promise<void> {
  makeTinyModels()
  await finish(finished, workflowText)
  await finish(variants, variantsText)
  await finish(elicited, elicitedText)
}

async function finish(folder: string, workflow: string): Promise<void> {
  rmSync(folder, { recursive: true, force: true })
  const workspace = makeWorkspaceAt(folder)
  workspace.write(workflowFile, workflow)
  const run = await dag(folder, ['run', workflowFile, '--ui', 'json'])
  if (run.code !== 0) throw new Error(`${folder} could not be finished (exit ${run.code}):\n${run.stderr}\n${run.stdout.slice(-3000)}`)
}
