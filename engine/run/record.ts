import { parseOrNull } from '../core/json.ts'
import type { CellOutput } from '../core/step-kind.ts'
import { sharedComponents } from '../plan/keys.ts'
import { type Measured, measuredModel, type Speeds } from '../plan/profile.ts'
import type { SettledTask, Snapshot } from '../plan/settle.ts'
import type { Manifest, ManifestCell } from '../store/files/manifest.ts'
import { toBlob } from '../store/index/blob.ts'
import type { Store } from '../store/store.ts'
import type { Outcome, Work } from './executors/work.ts'

/** What planning asks of the store, answered by it. */
export function snapshotOf(store: Store): Snapshot {
  const done = store.db.prepare('SELECT cells, objects FROM done WHERE deep = ?')
  return {
    look: (key) => store.look(key),
    ahead: (task, cells) => store.lookAhead(task, cells),
    done({ transient }, deep) {
      const row = done.get(toBlob(deep)) as { cells: number; objects: string } | undefined
      if (!row) return null
      return (parseOrNull(row.objects) as unknown as string[] | null)?.every(
        (object) => store.has(object) || (transient && store.evicted.has(object)),
      )
        ? row.cells
        : null
    },
  }
}

/** The manifest of a batch that was done. */
export function manifestOf(work: Work, outcome: Outcome, run: string, workflow: string, created: number): Manifest {
  const planned = new Map(work.batch.cells.map((cell) => [cell.spec.id, cell]))
  const cells = outcome.cells.map((made): ManifestCell => {
    const cell = planned.get(made.id)
    if (!cell?.key || !cell.spec.own) throw new Error(`cell ${made.id} was made but not asked for`)
    const inputs = cell.spec.inputs.map((input) => input.key)
    return { cell: made.id, key: cell.key, digest: made.digest, slot: made.slot, own: cell.spec.own, inputs, facts: made.facts }
  })
  return {
    format: 1,
    run,
    workflow,
    task: work.task.id,
    operation: work.task.operation.name,
    created,
    ...(outcome.maker ? { maker: outcome.maker } : {}),
    shared: sharedComponents(work.task),
    objects: outcome.files.map(({ digest, bytes }) => ({ digest, bytes })),
    cells,
  }
}

/** Notes under a task's deep key that every cell of it is there. `moved`: some may lie elsewhere than where they were made. */
export function recordTask(store: Store, deep: string, settled: SettledTask, moved: boolean): void {
  const objectOf = ({ key, slot }: CellOutput): string => {
    const now = moved ? store.look(key) : null
    return now === null || now === 'lost' ? slot.object : now.slot.object
  }
  const objects = new Set(settled.cells.map(({ output }) => objectOf(output as CellOutput)))
  store.db
    .prepare('INSERT OR REPLACE INTO done (deep, cells, objects) VALUES (?, ?, ?)')
    .run(toBlob(deep), settled.cells.length, JSON.stringify([...objects]))
}

/** Work and seconds of batches done here, summed, for later forecasts. */
export function recordRate(store: Store, profile: string, operation: string, amount: number, seconds: number): void {
  store.db
    .prepare(
      `INSERT INTO rates (profile, what, amount, seconds) VALUES (?, ?, ?, ?)
       ON CONFLICT (profile, what) DO UPDATE SET amount = amount + excluded.amount, seconds = seconds + excluded.seconds`,
    )
    .run(profile, operation, amount, seconds)
}

/** What `dag calibrate` finds out lies beside the rates of runs, each figure under its own name. */
const calibrated = 'calibrated '

/** Notes what a calibration found out, in place of what an earlier one did. */
export function recordCalibration(store: Store, model: string, figures: Partial<Speeds>): void {
  const insert = store.db.prepare('INSERT OR REPLACE INTO rates (profile, what, amount, seconds) VALUES (?, ?, 1, ?)')
  store.transaction(() => {
    for (const [name, value] of Object.entries(figures)) insert.run(model, `${calibrated}${name}`, value)
  })
}

/** What was measured here: by runs, and by calibrations, in which what is true of all models is that without one. */
export function measuredHere(store: Store): Measured {
  const find = store.db.prepare('SELECT seconds / amount AS rate FROM rates WHERE profile = ? AND what = ? AND amount > 0')
  const findAll = store.db.prepare('SELECT what, seconds AS value FROM rates WHERE profile = ? AND what LIKE ?')
  const figuresOf = (model: string): [string, number][] => {
    const rows = findAll.all(model, `${calibrated}%`) as { what: string; value: number }[]
    return rows.map(({ what, value }) => [what.slice(calibrated.length), value])
  }
  return {
    rate: (model, operation) => (find.get(model, operation) as { rate: number } | undefined)?.rate ?? null,
    calibrated: (model) => Object.fromEntries([...figuresOf(measuredModel(undefined)), ...figuresOf(model)]),
  }
}
