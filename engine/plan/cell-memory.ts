import type { CellOutput, CellSpec } from '../core/step-kind.ts'
import { isMissing, type SettledCell } from './settle.ts'

/** The cells of one task, wherever they are. */
export interface KeptCells {
  readonly cells: readonly SettledCell[]
  cell(id: string): SettledCell | undefined
}

/** Holds the cells of many tasks. */
export interface CellMemory {
  /** `specs`: makes what the cells are once more, in their order. */
  keep(task: string, cells: readonly SettledCell[], specs: () => readonly CellSpec[]): KeptCells
}

/** A cell takes about 0.6 kB as it is, and 0.2 kB packed. */
const mostAtOnce = 100_000

/**
 * Keeps the cells of the tasks that were used last as they are, about `most` of them, and packs those of the others: a
 * workflow may come to millions. What a cell is computed from is not kept but made once more; what the store held of
 * it is kept, since the store may change meanwhile. Cells that are to be made stay the objects they are, and so does a
 * task of such cells alone.
 */
export function cellMemory(most = mostAtOnce): CellMemory {
  /** In the order of their last use. */
  const open = new Map<object, { readonly count: number; close(): void }>()
  let latest: object | undefined
  let count = 0

  const opened = (kept: object, size: number, close: () => void): void => {
    open.set(kept, { count: size, close })
    latest = kept
    count += size
    for (const [other, { count: its, close: closeOther }] of open) {
      if (count <= most || other === kept) return
      open.delete(other)
      count -= its
      closeOther()
    }
  }
  const used = (kept: object): void => {
    if (kept === latest) return
    const entry = open.get(kept)
    if (!entry) return
    open.delete(kept)
    open.set(kept, entry)
    latest = kept
  }

  return {
    keep(task, given, specs) {
      if (given.every(isMissing)) return asGiven(given)
      let cells: readonly SettledCell[] | undefined = given
      let byId: ReadonlyMap<string, SettledCell> | undefined
      let packed: Packed | undefined
      const close = (): void => {
        packed ??= pack(cells as readonly SettledCell[])
        cells = byId = undefined
      }
      const kept: KeptCells = {
        get cells() {
          if (cells) used(kept)
          else {
            cells = unpack(task, packed as Packed, specs())
            opened(kept, cells.length, close)
          }
          return cells
        },
        cell(id) {
          const now = kept.cells
          byId ??= idsOf(now)
          return byId.get(id)
        },
      }
      opened(kept, given.length, close)
      return kept
    },
  }
}

function asGiven(cells: readonly SettledCell[]): KeptCells {
  let byId: ReadonlyMap<string, SettledCell> | undefined
  return {
    cells,
    cell(id) {
      byId ??= idsOf(cells)
      return byId.get(id)
    },
  }
}

function idsOf(cells: readonly SettledCell[]): ReadonlyMap<string, SettledCell> {
  return new Map(cells.map((cell) => [cell.spec.id, cell]))
}

type Stored = Pick<CellOutput, 'slot' | 'facts'> & { readonly evicted: true | undefined }

/** Of each cell in order what must be kept: of one that is to be made itself, of others what the store holds. */
interface Packed {
  readonly parts: readonly (SettledCell | Stored)[]
  /** Key and digest of each cell, 32 bytes each. */
  readonly digests: Buffer
}

const digestBytes = 32

function pack(cells: readonly SettledCell[]): Packed {
  const digests = Buffer.allocUnsafe(2 * digestBytes * cells.length)
  const objects = new Map<string, string>()
  const parts = cells.map((cell, index) => {
    if (isMissing(cell)) return cell
    const { key, digest, slot, facts, evicted } = cell.output as CellOutput
    digests.write(key, 2 * digestBytes * index, 'hex')
    digests.write(digest, 2 * digestBytes * index + digestBytes, 'hex')
    const object = objects.get(slot.object) ?? slot.object
    objects.set(object, object)
    return { slot: { ...slot, object }, facts, evicted }
  })
  return { parts, digests }
}

function unpack(task: string, { parts, digests }: Packed, specs: readonly CellSpec[]): SettledCell[] {
  const digestAt = (at: number) => digests.toString('hex', at * digestBytes, (at + 1) * digestBytes)
  return specs.map((spec, index): SettledCell => {
    const part = parts[index] as SettledCell | Stored
    if ('spec' in part) return part
    const [key, digest] = [digestAt(2 * index), digestAt(2 * index + 1)]
    const { slot, facts, evicted } = part
    const output: CellOutput = { task, cell: spec.id, key, digest, slot, facts, ...(evicted ? { evicted } : {}) }
    return { spec, key, output, lost: false, again: false }
  })
}
