import type { Digest } from '../core/digest.ts'
import type { Components, Slot } from '../core/step-kind.ts'
import { type ObjectDamage, objectDamage } from '../store/damage-facts.ts'
import { lastReasons, type RunReasons } from '../store/run-reasons.ts'
import { type Store, toBlob } from '../store/store.ts'
import type { Verdict } from './verdict.ts'

/** A cell as it was last made under its name. */
export interface FormerCell {
  readonly key: Digest
  readonly run: string
  /** All components of its key, and those of them that its whole task had. */
  components(): Components
  shared(): Components
}

/** Where a stored cell is, also one whose object is lost. */
export interface StoredCell {
  readonly run: string
  readonly object: Digest
}

/** What explaining a plan asks of the past. */
export interface History {
  /** Names of the tasks that the workflow has made cells of. */
  readonly tasks: ReadonlySet<string>
  /** Cells of a task as they were last made under that name, by cell. */
  former(task: string): ReadonlyMap<string, FormerCell>
  stored(key: Digest): StoredCell | null
  damage(object: Digest): ObjectDamage
  /** What the workflow's last run with something to do wrote down. */
  readonly last: RunReasons<Verdict> | null
}

/** The past of a workflow as the store holds it. `file` is the workflow's, relative to the store. */
export function historyOf(store: Store, workflow: string, file: string): History {
  const { db, layout } = store
  const formerRows = db.prepare(
    `SELECT cells.cell AS cell, lower(hex(cells.key)) AS key, cells.own AS own, units.id AS unit, units.run AS run FROM units JOIN cells ON cells.unit = units.id
     WHERE units.task = ? AND units.workflow = ? ORDER BY units.id DESC`,
  )
  const storedRow = db.prepare('SELECT slot, run FROM cells JOIN units ON units.id = unit WHERE key = ?')
  const shared = new Map<number, Components>()
  const sharedOf = (unit: number): Components => {
    const known = shared.get(unit) ?? store.unit(unit).shared
    shared.set(unit, known)
    return known
  }
  const formers = new Map<string, ReadonlyMap<string, FormerCell>>()
  let tasks: ReadonlySet<string> | undefined
  let last: RunReasons<Verdict> | null | undefined
  return {
    get tasks() {
      tasks ??= new Set(
        (db.prepare('SELECT DISTINCT task FROM units WHERE workflow = ?').all(workflow) as { task: string }[]).map((row) => row.task),
      )
      return tasks
    },
    get last() {
      if (last === undefined) last = lastReasons<Verdict>(layout, file)
      return last
    },
    former(task) {
      let cells = formers.get(task)
      if (!cells) {
        cells = latest(formerRows.iterate(task, workflow) as Iterable<FormerRow>, sharedOf)
        formers.set(task, cells)
      }
      return cells
    },
    stored(key) {
      const row = storedRow.get(toBlob(key)) as { slot: string; run: string } | undefined
      return row ? { run: row.run, object: (JSON.parse(row.slot) as Slot).object } : null
    },
    damage: (object) => objectDamage(layout, object),
  }
}

interface FormerRow {
  readonly cell: string
  readonly key: Digest
  readonly own: string
  readonly unit: number
  readonly run: string
}

function latest(rows: Iterable<FormerRow>, sharedOf: (unit: number) => Components): Map<string, FormerCell> {
  const cells = new Map<string, FormerCell>()
  for (const { cell, key, own, unit, run } of rows) {
    if (cells.has(cell)) continue
    const shared = () => sharedOf(unit)
    cells.set(cell, { key, run, shared, components: () => ({ ...shared(), ...(JSON.parse(own) as Components) }) })
  }
  return cells
}
