import type { Digest } from '../core/digest.ts'
import { toBlob, toHex } from '../store/index/blob.ts'
import type { Store } from '../store/store.ts'
import { storedJson } from '../store/index/stored-json.ts'

/** Where a cell stands in the index. */
export interface Reached {
  readonly unit: number
  readonly cell: string
  readonly digest: Digest
}

/** With the keys of the cells that it is computed from. Of millions, only those that are looked at now hold them. */
interface Found extends Reached {
  readonly inputs: readonly Digest[]
}

interface Row {
  readonly key: Uint8Array
  readonly digest: Uint8Array
  readonly cell: string
  readonly inputs: string
}

const columns = 'key, digest, cell, inputs'

/** Cells by batch, read a batch at a time. */
function unitReader(store: Store): (unit: number) => (readonly [Digest, Found])[] {
  const cellsOf = store.db.prepare(`SELECT ${columns} FROM cells WHERE unit = ?`)
  return (unit) => (cellsOf.all(unit) as unknown as Row[]).map((row) => [toHex(row.key), foundOf(row, unit)] as const)
}

function foundOf({ cell, digest, inputs }: Row, unit: number): Found {
  return { unit, cell, digest: toHex(digest), inputs: storedJson(inputs) as Digest[] }
}

/** Where cells stand whose batches are known. */
export function lookUp(store: Store, cells: ReadonlyMap<Digest, number>): Map<Digest, Reached> {
  const load = unitReader(store)
  const found = new Map<Digest, Reached>()
  for (const unit of new Set(cells.values())) for (const [key, { inputs: _, ...at }] of load(unit)) if (cells.has(key)) found.set(key, at)
  return found
}

/** Everything that was made from cells, directly or through others; the cells themselves are not among it. */
export function reachDown(store: Store, start: ReadonlyMap<Digest, number>): Map<Digest, Reached> {
  const usersOfUnit = store.db.prepare(
    'SELECT DISTINCT uses.unit AS unit FROM cells JOIN uses ON uses.input = cells.key WHERE cells.unit = ?',
  )
  const usersOfCell = store.db.prepare('SELECT unit FROM uses WHERE input = ?')
  const load = unitReader(store)
  const reached = new Map<Digest, Reached>()
  /** Cells of a unit that are not reached yet. */
  const waiting = new Map<number, (readonly [Digest, Found])[]>()
  const isReached = (key: Digest) => start.has(key) || reached.has(key)

  let frontier: readonly (readonly [Digest, number])[] = [...start]
  while (frontier.length > 0) {
    const users = new Set<number>()
    for (const [unit, cells] of Map.groupBy(frontier, ([, at]) => at)) {
      // A cell or two of a batch are asked for one by one, many together.
      const rows = cells.length > 2 ? usersOfUnit.all(unit) : cells.flatMap(([key]) => usersOfCell.all(toBlob(key)))
      for (const row of rows as { unit: number }[]) users.add(row.unit)
    }
    const next: (readonly [Digest, number])[] = []
    for (const unit of users) {
      const left = []
      for (const entry of waiting.get(unit) ?? load(unit)) {
        const [key, { inputs, ...at }] = entry
        if (isReached(key)) continue
        if (!inputs.some(isReached)) left.push(entry)
        else {
          reached.set(key, at)
          next.push([key, unit])
        }
      }
      waiting.set(unit, left)
    }
    frontier = next
  }
  return reached
}

/** A cell that others are made of, and where it stands. */
export type Input = Pick<Reached, 'unit' | 'cell'> & { readonly key: Digest }

/** Picks among the inputs of a level, until it is done. */
export interface Picking {
  isDone(): boolean
  pick(level: readonly Input[]): readonly Input[]
}

/** Everything that cells were made from, with the cells themselves first, level by level. */
export function reachUp(store: Store, start: Iterable<Digest>, picking: Picking): Map<Digest, Reached> {
  const { look, forget } = cellFinder(store)
  const reached = new Map<Digest, Reached>()
  const picked = (level: ReadonlySet<Digest>): ReadonlySet<Digest> => {
    if (picking.isDone()) return level
    const inputs = [...level].flatMap((key) => {
      const found = look(key)
      return found ? [{ key, unit: found.unit, cell: found.cell }] : []
    })
    return new Set(picking.pick(inputs).map(({ key }) => key))
  }
  for (let frontier: ReadonlySet<Digest> = new Set(start); frontier.size > 0; ) {
    const level = new Set<Digest>()
    for (const key of frontier) {
      const found = look(key)
      if (!found) continue
      const { inputs, ...at } = found
      reached.set(key, at)
      forget(key)
      for (const input of inputs) if (!reached.has(input)) level.add(input)
    }
    frontier = picked(level)
  }
  return reached
}

/** Of a batch that is looked into so often all cells are read at once. */
const manyLooks = 4

/** Finds cells by their keys. Those of a batch are mostly asked for together. */
function cellFinder(store: Store): { look(key: Digest): Found | null; forget(key: Digest): void } {
  const find = store.db.prepare(`SELECT unit, ${columns} FROM cells WHERE key = ?`)
  const load = unitReader(store)
  const looks = new Map<number, number>()
  const read = new Map<Digest, Found>()
  return {
    look(key) {
      const there = read.get(key)
      if (there) return there
      const row = find.get(toBlob(key)) as (Row & { unit: number }) | undefined
      if (!row) return null
      const count = (looks.get(row.unit) ?? 0) + 1
      looks.set(row.unit, count)
      if (count === manyLooks) for (const [other, at] of load(row.unit)) read.set(other, at)
      return foundOf(row, row.unit)
    },
    forget: (key) => read.delete(key),
  }
}
