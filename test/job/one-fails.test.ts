import { readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ownModels } from '../impact/row.ts'
import { dag, run } from '../support/dag.ts'
import { cellDigests } from '../support/cells.ts'
import { finishedWorkspace, freshWorkspace, workflowFile } from '../support/workspace.ts'

const weights = 'models/organisms/beta/adapter_model.safetensors'

/** Makes every weight of a safetensors file NaN, which bytes of ones are in every float format; answers what it was. */
function spoil(file: string): Buffer {
  const bytes = readFileSync(file)
  const data = 8 + Number(bytes.readBigUInt64LE())
  writeFileSync(file, Buffer.concat([bytes.subarray(0, data), Buffer.alloc(bytes.length - data, 255)]))
  return bytes
}

test('an organism whose logits are not numbers fails alone and the others are ranked without it; mended, the same command does only what it lacks', async () => {
  const workspace = freshWorkspace()
  ownModels(workspace)
  const good = spoil(workspace.at(weights))
  const { code, stdout } = await dag(workspace.folder, ['run', '--ui', 'plain', workflowFile])
  expect(code).toBe(1)
  expect(stdout).toContain(
    '8 tasks blocked, since answers/beta/one failed: answers.capture/beta/one, scores/beta/one/answers, ranking/one and 5 more',
  )
  expect(stdout).toContain('going on without beta: ranking/one, ranking/two, ranking/overview, report\n')
  expect(stdout).toContain('  cells  126 made   0 reused   6 failed\n')
  expect(stdout).toContain('  rankings and reports leave out what failed: beta\n')
  expect(workspace.read('experiments/audit/analysis/top_activating/summary.md')).not.toContain('beta')
  expect(stdout.slice(stdout.indexOf('first of'))).toBe(
    'first of 2 failures: answers/beta/one\n  cell one_1: its logits are not finite in bfloat16\nrun again with: dag run workflows/audit.yaml\n',
  )
  writeFileSync(workspace.at(weights), good)
  const { finished } = await run(workspace)
  expect([finished.outcome, finished.cells]).toEqual(['done', { ran: 62, reused: 120, failed: 0 }])
  const [cells, wanted] = [cellDigests(workspace), cellDigests(finishedWorkspace())]
  expect(cells.size - wanted.size).toBe(6) // what was ranked without it
  expect([...wanted].filter(([key, digest]) => cells.get(key) !== digest)).toEqual([])
})

test('the end of a run that failed says how to run again in the same store', async () => {
  const workspace = freshWorkspace()
  workspace.write('flow.yaml', 'workflow: flow\nsteps:\n  a: { kind: command, run: "false", outputs: { o: o } }\n')
  const { code, stdout } = await dag(workspace.folder, ['run', '--store', 'elsewhere', 'flow.yaml'])
  expect([code, stdout.trimEnd().split('\n').at(-1)]).toEqual([1, 'run again with: dag run flow.yaml --store elsewhere'])
})
