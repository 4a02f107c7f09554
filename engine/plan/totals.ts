import type { RunTotals } from '../core/events.ts'
import type { Forecast } from './forecast.ts'
import type { Plan, PlannedTask } from './plan.ts'
import type { Batch } from './settle.ts'

/** How many tasks and cells run and are reused, and what must be loaded for it. */
export function totalsOf(plan: Plan, expected: Forecast): RunTotals {
  const sum = (of: (task: PlannedTask) => number) => plan.tasks.reduce((total, task) => total + of(task), 0)
  const run = sum(({ toRun }) => Number(toRun > 0))
  const cells = sum((task) => task.cells)
  const cellsToRun = sum((task) => task.toRun)
  return {
    tasks: { total: plan.tasks.length, run, reuse: plan.tasks.length - run },
    cells: { total: cells, run: cellsToRun, reuse: cells - cellsToRun },
    modelLoads: expected.modelLoads,
    adapterSwitches: expected.adapterSwitches,
  }
}

/** What people count of a task: how many there are, and how many of them lack something. */
export function peopleCount({ task, cells, toRun, batches }: PlannedTask): { total: number; run: number } {
  const { counts } = task.operation
  if (counts.by === 'cell') return { total: cells, run: toRun }
  const groups = (batch: Batch) => new Set(batch.cells.map((cell) => cell.spec.group)).size
  return { total: cells / counts.cellsOfGroup(task), run: batches.reduce((sum, batch) => sum + groups(batch), 0) }
}
