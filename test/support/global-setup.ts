import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { dag } from './dag.ts'
import { finished, python, root, smollm2, tiny, variants } from './paths.ts'
import { makeWorkspaceAt, variantsText, workflowFile, workflowText } from './workspace.ts'

/** Makes the small models once, and one finished workspace for this run of the tests. */
export default async function setup(): Promise<void> {
  const script = path.join(root, 'test', 'support', 'make_tiny.py')
  const mark = path.join(tiny, 'made-by')
  const wanted = createHash('sha256')
    .update(readFileSync(script))
    .update(readFileSync(path.join(root, 'sidecar', 'requirements.txt')))
    .digest('hex')
  if (!existsSync(mark) || readFileSync(mark, 'utf8') !== wanted) {
    rmSync(tiny, { recursive: true, force: true })
    execFileSync(python, [script, smollm2, tiny], { stdio: ['ignore', 'ignore', 'pipe'] })
    writeFileSync(mark, wanted)
  }
  await finish(finished, workflowText)
  await finish(variants, variantsText)
}

async function finish(folder: string, workflow: string): Promise<void> {
  rmSync(folder, { recursive: true, force: true })
  const workspace = makeWorkspaceAt(folder)
  workspace.write(workflowFile, workflow)
  const run = await dag(folder, ['run', workflowFile, '--ui', 'json'])
  if (run.code !== 0) throw new Error(`${folder} could not be finished (exit ${run.code}):\n${run.stderr}\n${run.stdout.slice(-3000)}`)
}
