import type { Digest } from '../core/digest.ts'
import { toBlob, toHex } from '../store/blob.ts'
import type { Store } from '../store/store.ts'
import { storedJson } from '../store/stored-json.ts'

/** Where a cell stands in the index. */
export interface Reached {
  readonly unit: number
  readonly cell: string
  readonly digest: Digest
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
function unitReader(store: Store): (unit: number) => (readonly [Digest, Reached])[] {
  const cellsOf = store.db.prepare(`SELECT ${columns} FROM cells WHERE unit = ?`)
  return (unit) => (cellsOf.all(unit) as unknown as Row[]).map((row) => [toHex(row.key), reachedOf(row, unit)] as const)
}

function reachedOf({ cell, digest, inputs }: Row, unit: number): Reached {
  return { unit, cell, digest: toHex(digest), inputs: storedJson(inputs) as Digest[] }
}

/** Where cells stand whose batches are known. */
export function lookUp(store: Store, cells: ReadonlyMap<Digest, number>): Map<Digest, Reached> {
  const load = unitReader(store)
  const found = new Map<Digest, Reached>()
  for (const unit of new Set(cells.values())) for (const [key, at] of load(unit)) if (cells.has(key)) found.set(key, at)
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
  const waiting = new Map<number, (readonly [Digest, Reached])[]>()
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
        const [key, cell] = entry
        if (isReached(key)) continue
        if (!cell.inputs.some(isReached)) left.push(entry)
        else {
          reached.set(key, cell)
          next.push([key, unit])
        }
      }
      waiting.set(unit, left)
    }
    frontier = next
  }
  return reached
}

/** Everything that cells were made from, with the cells themselves first; `follow` picks among the inputs of the first. */
export function reachUp(store: Store, start: Iterable<Digest>, follow: (cell: Reached) => boolean = () => true): Map<Digest, Reached> {
  const find = store.db.prepare(`SELECT unit, ${columns} FROM cells WHERE key = ?`)
  const look = (key: Digest): Reached | null => {
    const row = find.get(toBlob(key)) as (Row & { unit: number }) | undefined
    return row ? reachedOf(row, row.unit) : null
  }
  const reached = new Map<Digest, Reached>()
  const first = new Set(start)
  const queue = [...first]
  for (const key of queue) {
    if (reached.has(key)) continue
    const found = look(key)
    if (!found) continue
    reached.set(key, found)
    for (const input of found.inputs) {
      if (reached.has(input)) continue
      const cell = first.has(key) ? look(input) : null
      if (!first.has(key) || (cell && follow(cell))) queue.push(input)
    }
  }
  return reached
}
