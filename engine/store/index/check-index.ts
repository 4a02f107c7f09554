import type { DatabaseSync } from 'node:sqlite'
import type { Digest } from '../../core/digest.ts'
import type { Manifest, StoredFile } from '../files/manifest.ts'
import { toBlob, toHex } from './blob.ts'

/** A unit as its row has it. */
export interface UnitRow {
  readonly id: number
  readonly manifest: string
  readonly run: string
  readonly workflow: string
  readonly task: string
  readonly operation: string
  readonly shared: string
  readonly created: number
  readonly maker: string | null
}

/** What SQLite finds wrong with the file of the index; null when it is whole. */
export function integrityProblem(db: DatabaseSync): string | null {
  try {
    const rows = db.prepare('PRAGMA integrity_check(3)').all() as { integrity_check: string }[]
    const found = rows.map((row) => row.integrity_check).join('; ')
    return found === 'ok' ? null : found.replaceAll(/\s+/g, ' ')
  } catch (error) {
    return (error as Error).message
  }
}

export function unitRows(db: DatabaseSync): UnitRow[] {
  return db
    .prepare('SELECT id, manifest, run, workflow, task, operation, shared, created, maker FROM units ORDER BY id')
    .all() as unknown as UnitRow[]
}

/** Every object that the index counts on, in the order of their digests. */
export function objectRows(db: DatabaseSync): StoredFile[] {
  const rows = db.prepare('SELECT digest, bytes FROM objects ORDER BY digest').all() as { digest: Uint8Array; bytes: number }[]
  return rows.map(({ digest, bytes }) => ({ digest: toHex(digest), bytes }))
}

/**
 * Compares units of the index with their manifests. A cell may have moved to a later unit, and a lost object is no
 * longer counted on; every other difference is named.
 */
export function unitComparison(db: DatabaseSync): (unit: UnitRow, manifest: Manifest) => string | null {
  const links = new Map<number, Set<Digest>>()
  for (const row of db.prepare('SELECT object, unit FROM unit_objects').iterate() as Iterable<{ object: Uint8Array; unit: number }>) {
    const list = links.get(row.unit)
    if (list) list.add(toHex(row.object))
    else links.set(row.unit, new Set([toHex(row.object)]))
  }
  const uses = new Map<number, number>()
  for (const row of db.prepare('SELECT unit, count(*) AS count FROM uses GROUP BY unit').all() as { unit: number; count: number }[])
    uses.set(row.unit, row.count)
  const sizeOf = db.prepare('SELECT bytes FROM objects WHERE digest = ?')
  const cellsOf = db.prepare('SELECT hex(key) AS key, hex(digest) AS digest, cell, slot, own, inputs, facts FROM cells WHERE unit = ?')
  const unitOf = db.prepare('SELECT unit FROM cells WHERE key = ?')

  return (unit, manifest) => {
    const { run, workflow, task, operation, created } = manifest
    if (unit.run !== run || unit.workflow !== workflow || unit.task !== task || unit.operation !== operation || unit.created !== created)
      return 'names another run or task than its manifest'
    if (unit.shared !== JSON.stringify(manifest.shared)) return 'has other key components than its manifest'
    if (unit.maker !== (manifest.maker ? JSON.stringify(manifest.maker) : null)) return 'names another maker than its manifest'

    const linked = links.get(unit.id) ?? new Set()
    if (linked.size !== new Set(manifest.objects.map(({ digest }) => digest)).size) return 'has other objects than its manifest'
    for (const { digest, bytes } of manifest.objects) {
      const row = sizeOf.get(toBlob(digest)) as { bytes: number } | undefined
      if (!linked.has(digest) || (row && row.bytes !== bytes)) return 'has other objects than its manifest'
    }
    if ((uses.get(unit.id) ?? 0) !== new Set(manifest.cells.flatMap(({ inputs }) => inputs)).size)
      return 'has other inputs than its manifest'

    const rows = new Map((cellsOf.all(unit.id) as unknown as TextRow[]).map((row) => [row.key.toLowerCase(), row]))
    const byKey = new Map(manifest.cells.map((cell) => [cell.key, cell]))
    for (const [key, cell] of byKey) {
      const row = rows.get(key)
      rows.delete(key)
      const same = row
        ? row.digest.toLowerCase() === cell.digest &&
          row.cell === cell.cell &&
          row.slot === JSON.stringify(cell.slot) &&
          row.own === JSON.stringify(cell.own) &&
          row.inputs === JSON.stringify(cell.inputs) &&
          row.facts === JSON.stringify(cell.facts)
        : unitOf.get(toBlob(key)) !== undefined || sizeOf.get(toBlob(cell.slot.object)) === undefined
      if (!same) return `has cell ${cell.cell} otherwise than its manifest`
    }
    return rows.size > 0 ? `has ${rows.size} cells that its manifest has not` : null
  }
}

interface TextRow {
  readonly key: string
  readonly digest: string
  readonly cell: string
  readonly slot: string
  readonly own: string
  readonly inputs: string
  readonly facts: string
}
