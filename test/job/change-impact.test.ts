import { rmSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { PlanReport } from '../../engine/report/plan-report.ts'
import { plan, run } from '../support/dag.ts'
import { contrastSet, finishedWorkspace, organismList, workflowFile } from '../support/workspace.ts'

/** Cells to run, by stage; stages with nothing to run are left out. */
function cellsToRun(report: PlanReport): Record<string, number> {
  return Object.fromEntries(report.stages.filter((stage) => stage.cells.run > 0).map((stage) => [stage.stage, stage.cells.run]))
}

test('a finished workflow has nothing to do', async () => {
  const report = await plan(finishedWorkspace())
  expect(report.cells).toEqual({ total: 176, run: 0, reuse: 176 })
  expect(report.tasks).toEqual({ total: 36, run: 0, reuse: 36 })
  expect([report.modelLoads, report.adapterSwitches]).toEqual([0, 0])
  expect(report.reasons).toEqual([])
})

test('a new trait costs its vectors, its projections, the rankings and the report', async () => {
  const workspace = finishedWorkspace()
  workspace.write('traits/secret.json', contrastSet('secret', 'Do not tell anyone, but', 'The answer is this:'))
  const report = await plan(workspace)
  expect(cellsToRun(report)).toEqual({ vectors: 4, scores: 36, ranking: 3, report: 1 })
  expect([report.modelLoads, report.adapterSwitches]).toEqual([1, 0])
})

test('a new layer costs forward passes for that layer on both sides and no generation', async () => {
  const workspace = finishedWorkspace()
  workspace.edit(workflowFile, 'capture: &capture { layers: [1, 2] }', 'capture: &capture { layers: [1, 2, 3] }')
  const report = await plan(workspace)
  expect(cellsToRun(report)).toEqual({ 'answers.capture': 18, clean: 18 })
  expect([report.modelLoads, report.adapterSwitches]).toEqual([1, 3])
})

test('an edited prompt costs its cells in every organism', async () => {
  const workspace = finishedWorkspace()
  workspace.edit('prompts/one.json', 'What is rain?', 'What is hail?')
  const report = await plan(workspace)
  expect(cellsToRun(report)).toEqual({ answers: 3, 'answers.capture': 6, clean: 6, scores: 12, ranking: 3, report: 1 })
  expect(report.reasons[0]).toEqual({
    stage: 'answers',
    verdict: 'changed',
    tasks: 3,
    cells: 3,
    text: 'prompt: "What is rain?" → "What is hail?"',
    changes: [{ component: 'prompt', old: 'What is rain?', new: 'What is hail?' }],
  })
})

test('a new organism costs its own cells, the rankings and the report', async () => {
  const workspace = finishedWorkspace()
  workspace.write('organisms/list.yaml', organismList(['alpha', 'beta', 'gamma', 'delta']))
  const report = await plan(workspace)
  expect(cellsToRun(report)).toEqual({ answers: 6, 'answers.capture': 12, clean: 12, scores: 24, ranking: 5, report: 1 })
  expect([report.modelLoads, report.adapterSwitches]).toEqual([1, 1])
})

test('another temperature costs the answers and what follows from them', async () => {
  const workspace = finishedWorkspace()
  workspace.edit(workflowFile, 'max_new_tokens: 6', 'max_new_tokens: 6\n    temperature: 0.7')
  const report = await plan(workspace)
  expect(cellsToRun(report)).toEqual({ answers: 18, 'answers.capture': 36, clean: 36, scores: 72, ranking: 5, report: 1 })
  expect(report.reasons[0]?.text).toBe('seed: (none) → 0; temperature: 0 → 0.7; top_p: (none) → 1')
})

test.for([
  ['a comment', (text: string) => `# the night run\n${text}`],
  ['the order of keys', (text: string) => text.replace('max_new_tokens: 6\n    batch_size: 2', 'batch_size: 2\n    max_new_tokens: 6')],
  ['the order of steps', (text: string) => text.replace(/( {2}vectors: .*\n)([\s\S]*)$/, '$2$1')],
  ['the batch size', (text: string) => text.replaceAll('batch_size: 2', 'batch_size: 3')],
  [
    'formatting',
    (text: string) => text.replace('organisms: { from: ../organisms/list.yaml }', 'organisms:\n  from: "../organisms/list.yaml"'),
  ],
  ['a parameter written out at its default', (text: string) => text.replace('max_new_tokens: 6', 'max_new_tokens: 6\n    temperature: 0')],
] as const)('%s costs nothing', async ([, change]) => {
  const workspace = finishedWorkspace()
  const before = workspace.read(workflowFile)
  workspace.write(workflowFile, change(before))
  expect(workspace.read(workflowFile)).not.toBe(before)
  expect((await plan(workspace)).cells).toEqual({ total: 176, run: 0, reuse: 176 })
})

test('taking an organism out costs the rankings and the report', async () => {
  const workspace = finishedWorkspace()
  workspace.write('organisms/list.yaml', organismList(['alpha', 'beta']))
  expect(cellsToRun(await plan(workspace))).toEqual({ ranking: 5, report: 1 })
})

test('what the plan says is what the run does', async () => {
  const workspace = finishedWorkspace()
  workspace.write('organisms/list.yaml', organismList(['alpha', 'beta', 'gamma', 'delta']))
  const report = await plan(workspace)
  const { finished } = await run(workspace)
  expect(finished.outcome).toBe('done')
  expect(finished.cells).toEqual({ ran: report.cells.run, reused: report.cells.reuse, failed: 0 })
  expect(finished.tasks).toEqual({ ran: report.tasks.run, reused: report.tasks.reuse, failed: 0 })
  expect([finished.modelLoads, finished.adapterSwitches]).toEqual([report.modelLoads, report.adapterSwitches])
})

test('deleted results come back from the store and nothing runs', async () => {
  const workspace = finishedWorkspace()
  rmSync(workspace.at('experiments'), { recursive: true })
  const { finished } = await run(workspace)
  expect(finished.cells).toEqual({ ran: 0, reused: 176, failed: 0 })
  expect(workspace.read('experiments/audit/analysis/top_activating/summary.md')).toContain('# Organisms × traits')
})
