import { expect, test } from 'vitest'
import { kinds } from '../../steps/index.ts'
import { type PlannedCell, planCells, planProgram } from '../impact/outcome.ts'
import { type Row, selects } from '../impact/row.ts'
import { sections } from '../impact/rows/index.ts'
import { plan, run } from '../support/dag.ts'
import { elicited, variants } from '../support/paths.ts'
import { contrastSet, finishedWorkspace, organismList, workflowFile, workspaceAt } from '../support/workspace.ts'

const rows = sections.flatMap(({ title, rows: own }) => own.map((row): [string, Row] => [`${title} · ${row.of}: ${row.edit}`, row]))

const cellsOf = { audit: 182, variants: 42, elicited: 10 } as const
const workspaces = { variants, elicited } as const

/** Selector → how many of the cells that run it means, and all that is said of them. */
function found(row: Row, cells: readonly PlannedCell[]): Record<string, readonly [number, string]> {
  const running = cells.filter((cell) => cell.reason !== null)
  const selectors = [...Object.keys(row.made ?? {}), ...Object.keys(row.follow ?? {})]
  const of = (selector: string) => running.filter((cell) => selects(selector, cell))
  const told = selectors.map((selector) => [selector, [of(selector).length, reasons(of(selector))]] as const)
  const others = running.filter((cell) => selectors.filter((selector) => selects(selector, cell)).length !== 1)
  return Object.fromEntries([...told, ...others.map((cell) => [cell.name, [1, cell.reason as string]] as const)])
}

function reasons(cells: readonly PlannedCell[]): string {
  return [...new Set(cells.map((cell) => cell.reason))].join(' | ')
}

test.for(rows)('%s', async ([, row], { skip }) => {
  const workspace = finishedWorkspace(row.workflow && workspaces[row.workflow])
  const { folder = workspace.folder, program, kinds: given = kinds } = row.change(workspace) ?? {}
  if (program) {
    if ('skip' in program) return skip(program.skip)
    expect(await planProgram(workspace, program)).toEqual({ total: cellsOf[row.workflow ?? 'audit'], run: 0 })
    return
  }
  const cells = await planCells(workspaceAt(folder), given)
  const waiting = Object.entries(row.follow ?? {}).map(([selector, count]) => [selector, [count, 'waits']] as const)
  expect(found(row, cells)).toEqual({ ...row.made, ...Object.fromEntries(waiting) })
  expect(cells.length).toBe(row.total ?? cellsOf[row.workflow ?? 'audit'])
})

test('a finished workflow has nothing to do', async () => {
  const report = await plan(finishedWorkspace())
  expect(report.cells).toEqual({ total: 182, run: 0, reuse: 182 })
  expect(report.tasks).toEqual({ total: 42, run: 0, reuse: 42 })
  expect([report.modelLoads, report.adapterSwitches]).toEqual([0, 0])
  expect(report.reasons).toEqual([])
})

test('the model is loaded once, and only the adapters are put on whose cells run', async () => {
  const workspace = finishedWorkspace()
  workspace.edit(workflowFile, 'layers: [1, 2] }\n  clean', 'layers: [1, 2, 3] }\n  clean')
  const layer = await plan(workspace)
  expect([layer.modelLoads, layer.adapterSwitches]).toEqual([1, 3])
  workspace.write('traits/secret.json', contrastSet('secret', 'Do not tell anyone, but', 'The answer is this:'))
  workspace.edit(workflowFile, 'layers: [1, 2, 3] }\n  clean', 'layers: [1, 2] }\n  clean')
  const trait = await plan(workspace)
  expect([trait.modelLoads, trait.adapterSwitches]).toEqual([1, 0])
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

test('a renamed step shows its results under the new name, and nothing runs', async () => {
  const workspace = finishedWorkspace(variants)
  workspace.edit(workflowFile, '  sorted:', '  arranged:')
  workspace.edit(workflowFile, 'step: sorted', 'step: arranged')
  const { finished } = await run(workspace)
  expect(finished.cells).toEqual({ ran: 0, reused: 42, failed: 0 })
  expect(workspace.read('experiments/other/outputs/arranged/list.txt')).toBe('rain\nstars\n')
})

test('a renamed organism has its new name in the rankings', async () => {
  const workspace = finishedWorkspace()
  workspace.edit('organisms/list.yaml', 'alpha:', 'omega:')
  const { finished } = await run(workspace)
  expect(finished.cells).toEqual({ ran: 8, reused: 174, failed: 0 })
  const summary = workspace.read('experiments/audit/analysis/top_activating/summary.md')
  expect([summary.includes('omega'), summary.includes('alpha')]).toEqual([true, false])
})
