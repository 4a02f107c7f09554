import { canonicalJson, type Json } from '../core/json.ts'
import { sourcesOf } from '../lineage/sources.ts'
import type { Verdict } from '../lineage/verdict.ts'
import type { Plan, PlannedTask } from '../plan/plan.ts'
import { isMissing, type SettledCell, type SettledTask } from '../plan/settle.ts'
import type { Prepared } from '../prepare.ts'
import { type TaskReasons, writeReasons } from '../store/runs/run-reasons.ts'
import { writeRunSources } from '../store/runs/run-sources.ts'
import type { Store } from '../store/store.ts'
import { type Explaining, explaining, recordedFile } from './explaining.ts'

/** Writes down why a run makes what it makes, while it still stands in the store what was there before. */
export interface ReasonRecorder {
  /** A task whose keys are known now, and the plan that it was expected by. */
  settled(task: SettledTask, plan: Plan): void
  end(outcome: string): void
}

export function recordReasons(prepared: Prepared, store: Store, plan: Plan, run: string, at: number): ReasonRecorder {
  const why = explaining(prepared, store, plan)
  // Both are read before the run's own cells are there.
  void [why.history.tasks, why.history.last]
  const planned = Object.fromEntries(plan.tasks.flatMap(({ task, toRun }) => (toRun > 0 ? [[task.id, toRun]] : [])))
  const writer = writeReasons<Verdict>(store.layout, { run, file: recordedFile(store, prepared.workflow), at, planned })
  const tasks = plan.tasks.map(({ task }) => task)
  writeRunSources(store.layout, run, sourcesOf(tasks, prepared.locate, store.layout.root))
  return {
    settled(settled, by) {
      const { toRun } = by.byId.get(settled.task.id) as PlannedTask
      const expected = new Set(toRun > 0 ? by.settled(settled.task.id).missing.map(({ spec }) => spec.id) : [])
      const reasons = grouped(settled, (cell) => verdictOf(why, settled, cell, expected))
      if (reasons.length > 0) writer.task({ task: settled.task.id, reasons })
    },
    end: (outcome) => writer.end(outcome),
  }
}

/** Null where there is nothing to tell: the cell was known as up to date. `expected`: the cells that were to be made. */
function verdictOf({ explain }: Explaining, { task }: SettledTask, cell: SettledCell, expected: ReadonlySet<string>): Verdict | null {
  if (isMissing(cell)) return explain.cell(task, cell)
  if (!expected.has(cell.spec.id)) return null
  const verdict = explain.cell(task, cell)
  return verdict.verdict === 'served' ? { ...verdict, afterAll: true } : null
}

/** Cells with the same reason together. */
function grouped(settled: SettledTask, of: (cell: SettledCell) => Verdict | null): TaskReasons<Verdict>['reasons'] {
  const groups = new Map<string, { reason: Verdict; cells: string[] }>()
  for (const cell of settled.cells) {
    const reason = of(cell)
    if (!reason) continue
    const id = canonicalJson(reason as unknown as Json)
    const known = groups.get(id)
    if (known) known.cells.push(cell.spec.id)
    else groups.set(id, { reason, cells: [cell.spec.id] })
  }
  return [...groups.values()].map(({ reason, cells }) => ({ cells: cells.length === settled.cells.length ? null : cells, reason }))
}
