import type { Digest } from '../core/digest.ts'
import type { Components, Slot } from '../core/step-kind.ts'
import { type ObjectDamage, objectDamage } from '../store/health/damage-facts.ts'
import { lastReasons, type RunReasons } from '../store/runs/run-reasons.ts'
import { toBlob } from '../store/index/blob.ts'
import type { Store, Unit } from '../store/store.ts'
import { storedJson } from '../store/index/stored-json.ts'
import type { Verdict } from './verdict.ts'

/** A cell as it was last made under its name. */
export interface FormerCell {
  readonly run: string
  /** All components of its key, and those of them that its whole task had. */
  components(): Components
  shared(): Components
}

/** Cells of a task as they were last made under its name. */
export interface FormerCells {
  get(cell: string): FormerCell | undefined
  names(): Iterable<string>
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
  former(task: string): FormerCells
  stored(key: Digest): StoredCell | null
  damage(object: Digest): ObjectDamage
  /** What the workflow's last run with something to do wrote down. */
  readonly last: RunReasons<Verdict> | null
}

/** The past of a workflow as the store holds it. `file` is the workflow's, relative to the store. */
export function historyOf(store: Store, workflow: string, file: string): History {
  const { db, layout } = store
  const formerRows = (which: string) => {
    const rows = db.prepare(
      `SELECT cells.cell, cells.id, units.id FROM units JOIN cells ON cells.unit = units.id
       WHERE units.task = ? AND units.workflow = ? ${which}`,
    )
    rows.setReturnArrays(true)
    return rows
  }
  const allFormer = formerRows('ORDER BY units.id DESC')
  const oneFormer = formerRows('AND cells.cell = ? ORDER BY units.id DESC LIMIT 1')
  const ownRow = db.prepare('SELECT own FROM cells WHERE id = ?')
  // A cell that is made again under its key moves to the latest batch.
  const movedRow = db.prepare(
    'SELECT own FROM units JOIN cells ON cells.unit = units.id WHERE units.task = ? AND cells.cell = ? ORDER BY units.id DESC LIMIT 1',
  )
  const ownOf = (task: string, cell: string, id: number): Components =>
    storedJson(((ownRow.get(id) ?? movedRow.get(task, cell)) as { own: string }).own) as Components
  const storedRow = db.prepare('SELECT slot, run FROM cells JOIN units ON units.id = unit WHERE key = ?')
  const units = new Map<number, Unit>()
  const unitOf = (id: number): Unit => {
    const known = units.get(id) ?? store.unit(id)
    units.set(id, known)
    return known
  }
  const formerOf =
    (task: string) =>
    ([cell, id, unit]: FormerRow): FormerCell => {
      const { run, shared } = unitOf(unit)
      return { run, shared: () => shared, components: () => ({ ...shared, ...ownOf(task, cell, id) }) }
    }
  const formers = new Map<string, FormerCells>()
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
        if (formers.size >= mostTasks) formers.clear()
        cells = formerCells(
          () => allFormer.all(task, workflow) as unknown as FormerRow[],
          (cell) => oneFormer.get(task, workflow, cell) as unknown as FormerRow | undefined,
          formerOf(task),
        )
        formers.set(task, cells)
      }
      return cells
    },
    stored(key) {
      const row = storedRow.get(toBlob(key)) as { slot: string; run: string } | undefined
      return row ? { run: row.run, object: (storedJson(row.slot) as Slot).object } : null
    },
    damage: (object) => objectDamage(layout, object),
  }
}

/** Name and number of the cell, number of its batch. */
type FormerRow = readonly [cell: string, id: number, unit: number]

/** The cells of so many tasks are remembered: they are asked for task by task. */
const mostTasks = 64

/** So many cells of a task are looked up one by one before all of them are. */
const fewCells = 32

/** The first row of a name is its latest. */
function formerCells(
  allRows: () => readonly FormerRow[],
  rowOf: (cell: string) => FormerRow | undefined,
  formerOf: (row: FormerRow) => FormerCell,
): FormerCells {
  let all: Map<string, FormerRow> | undefined
  let asked = 0
  const whole = () => {
    if (!all) {
      all = new Map()
      for (const row of allRows()) if (!all.has(row[0])) all.set(row[0], row)
    }
    return all
  }
  return {
    names: () => whole().keys(),
    get(cell) {
      const row = all || ++asked > fewCells ? whole().get(cell) : rowOf(cell)
      return row && formerOf(row)
    },
  }
}
