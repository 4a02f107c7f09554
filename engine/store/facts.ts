import { parseOrNull } from '../core/json.ts'
import type { Facts, FactsOf } from '../core/step-kind.ts'
import type { Store } from './store.ts'

/** What was noted of the cells of an operation that a run made, task by task. What cannot be read is passed over. */
export function factsMade({ db }: Store, run: string, operation: string): Map<string, FactsOf[]> {
  const sql = `SELECT task, cell, facts FROM units JOIN cells ON cells.unit = units.id
    WHERE run = ? AND operation = ? ORDER BY units.id, cells.id`
  const rows = db.prepare(sql).all(run, operation) as { task: string; cell: string; facts: string }[]
  const made = Map.groupBy(rows, ({ task }) => task)
  return new Map(
    [...made].map(([task, own]) => [task, own.map(({ cell, facts }) => ({ cell, facts: (parseOrNull(facts) ?? {}) as Facts }))]),
  )
}
