import type { Digest } from '../core/digest.ts'
import { canonicalJson, type Json } from '../core/json.ts'
import type { Maker } from '../core/maker.ts'
import type { Components, Facts } from '../core/step-kind.ts'
import { fileOfName } from '../store/files/layout.ts'
import { digestInName } from '../store/files/manifest-file.ts'
import { toBlob, toHex } from '../store/index/blob.ts'
import type { Store, Unit } from '../store/store.ts'
import { storedJson } from '../store/index/stored-json.ts'
import type { Reached } from './reach.ts'

/** A stored cell with where it came from. */
export interface LineageNode {
  readonly key: Digest
  readonly digest: Digest
  /** `task:cell` as it was called when it was made. */
  readonly task: string
  readonly cell: string
  readonly operation: string
  readonly workflow: string
  readonly run: string
  /** Milliseconds since 1970. */
  readonly created: number
  readonly components: Components
  readonly facts: Facts
  readonly inputs: readonly Digest[]
  readonly maker: Maker | null
}

/** Reads of the index what lineage tells of a cell. */
export interface LineageReader {
  unit(id: number): Unit
  node(key: Digest): LineageNode | null
  /** Name of a batch: that of its manifest. */
  batch(unit: number): string
}

export function lineageReader(store: Store): LineageReader {
  const find = store.db.prepare('SELECT digest, unit, cell, own, inputs, facts FROM cells WHERE key = ?')
  const units = new Map<number, Unit>()
  const unit = (id: number): Unit => {
    let known = units.get(id)
    if (!known) units.set(id, (known = store.unit(id)))
    return known
  }
  const manifest = store.db.prepare('SELECT manifest FROM units WHERE id = ?')
  return {
    unit,
    batch: (id) => digestInName((manifest.get(id) as { manifest: string }).manifest),
    node(key) {
      const row = find.get(toBlob(key)) as
        | (Record<'cell' | 'own' | 'inputs' | 'facts', string> & { digest: Uint8Array; unit: number })
        | undefined
      if (!row) return null
      const { task, operation, workflow, run, created, shared, maker } = unit(row.unit)
      return {
        key,
        digest: toHex(row.digest),
        task,
        cell: row.cell,
        operation,
        workflow,
        run,
        created,
        components: { ...shared, ...(storedJson(row.own) as Components) },
        facts: storedJson(row.facts) as Facts,
        inputs: storedJson(row.inputs) as Digest[],
        maker,
      }
    },
  }
}

/** Cells of one operation, in the order they were met. */
export interface OperationGroup {
  readonly operation: string
  readonly keys: readonly Digest[]
  readonly tasks: number
}

export function byOperation(reader: LineageReader, reached: ReadonlyMap<Digest, Reached>): OperationGroup[] {
  const groups = new Map<string, { keys: Digest[]; tasks: Set<string> }>()
  for (const [key, { unit }] of reached) {
    const { operation, task } = reader.unit(unit)
    const group = groups.get(operation) ?? { keys: [], tasks: new Set() }
    groups.set(operation, group)
    group.keys.push(key)
    group.tasks.add(task)
  }
  return [...groups].map(([operation, { keys, tasks }]) => ({ operation, keys, tasks: tasks.size }))
}

/** Cells that were computed by the same, counted by operation; a maker of null is not known. */
export interface MakerGroup {
  readonly maker: Maker | null
  readonly cells: Readonly<Record<string, number>>
}

export function byMaker(reader: LineageReader, reached: ReadonlyMap<Digest, Reached>): MakerGroup[] {
  const groups = new Map<string, { maker: Maker | null; cells: Record<string, number> }>()
  const groupOf = new Map<number, { operation: string; cells: Record<string, number> }>()
  for (const { unit } of reached.values()) {
    let found = groupOf.get(unit)
    if (!found) {
      const { operation, maker } = reader.unit(unit)
      const name = canonicalJson(maker as Json)
      const group = groups.get(name) ?? { maker, cells: {} }
      groups.set(name, group)
      groupOf.set(unit, (found = { operation, cells: group.cells }))
    }
    found.cells[found.operation] = (found.cells[found.operation] ?? 0) + 1
  }
  return [...groups.values()]
}

/** Result files that show cells, by key. Of cells that were made anew under one name with the same result, the latest has them. */
export function filesShowing(store: Store, reader: LineageReader, reached: ReadonlyMap<Digest, Reached>): Map<Digest, string[]> {
  const views = store.db.prepare('SELECT path, digest FROM views ORDER BY path').all() as { path: string; digest: Digest }[]
  const paths = Map.groupBy(views, ({ digest }) => digest)
  const latest = new Map<string, { key: Digest; unit: number; files: string[] }>()
  for (const [key, { digest, unit, cell }] of reached) {
    const files = paths.get(digest)?.map((view) => fileOfName(store.layout, view.path))
    const name = `${reader.unit(unit).task}:${cell}`
    if (files && unit > (latest.get(name)?.unit ?? -1)) latest.set(name, { key, unit, files })
  }
  return new Map([...latest.values()].map(({ key, files }) => [key, files]))
}
