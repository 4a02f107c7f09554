import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { dag } from '../support/dag.ts'
import { exportedWorkspace, importedFile } from '../support/experiment.ts'

test('try', async () => {
  const workspace = await exportedWorkspace()
  const done = await workspace.import('--to', importedFile)
  console.log(done.code, done.stdout, done.stderr)
  console.log(readFileSync(workspace.at(importedFile), 'utf8'))
  const run = await dag(workspace.folder, ['run', importedFile, '--ui', 'plain'])
  console.log(run.code, run.stdout.slice(-3000), run.stderr.slice(-3000))
  const lineage = await dag(workspace.folder, ['lineage', 'experiments/theirs/analysis/top_activating/trait/kind/one/summary.md:10'])
  console.log(lineage.stdout.slice(0, 5000), lineage.stderr)
})
