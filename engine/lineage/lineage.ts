import type { Digest } from '../core/digest.ts'
import type { Components, Facts } from '../core/step-kind.ts'
import { type IndexedCell, type Store, toBlob, toHex } from '../store/store.ts'

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
}

/** The stored cell of a key, or null when the index does not know it. */
export function nodeOf(store: Store, key: Digest): LineageNode | null {
  const cell = store.find(key)
  return cell ? describe(store, cell) : null
}

function describe(store: Store, cell: IndexedCell): LineageNode {
  const { task, operation, workflow, run, created, shared } = store.unit(cell.unit)
  const { key, digest, facts, inputs } = cell
  return { key, digest, task, cell: cell.cell, operation, workflow, run, created, components: { ...shared, ...cell.own }, facts, inputs }
}

/**
 * Everything that a cell was made from, itself first, each cell once, breadth first. `follow` picks among its own
 * inputs; what lies behind those is followed whole.
 */
export function upstream(store: Store, key: Digest, follow: (node: LineageNode) => boolean = () => true): LineageNode[] {
  return walk(store, key, (node) =>
    node.key === key
      ? node.inputs.filter((input) => {
          const known = nodeOf(store, input)
          return known !== null && follow(known)
        })
      : node.inputs,
  )
}

/** Everything that was made from a cell, itself first. */
export function downstream(store: Store, key: Digest): LineageNode[] {
  return walk(store, key, (node) => usersOf(store, node.key))
}

function walk(store: Store, start: Digest, next: (node: LineageNode) => readonly Digest[]): LineageNode[] {
  const seen = new Set([start])
  const found: LineageNode[] = []
  for (const key of seen) {
    const node = nodeOf(store, key)
    if (!node) continue
    found.push(node)
    for (const other of next(node)) seen.add(other)
  }
  return found
}

/** Keys of the cells that have this one among their inputs. */
function usersOf(store: Store, key: Digest): Digest[] {
  const rows = store.db
    .prepare('SELECT cells.key AS key, cells.inputs AS inputs FROM uses JOIN cells ON cells.unit = uses.unit WHERE uses.input = ?')
    .all(toBlob(key)) as { key: Uint8Array; inputs: string }[]
  return rows.filter((row) => row.inputs.includes(key)).map((row) => toHex(row.key))
}
