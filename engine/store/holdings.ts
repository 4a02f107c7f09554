import { readdirSync, statSync } from 'node:fs'
import path from 'node:path'
import type { Digest } from '../core/digest.ts'
import { parseOrNull } from '../core/json.ts'
import { toBlob } from './index/blob.ts'
import type { Store } from './store.ts'

/** What the store holds of an operation. */
export interface Holding {
  readonly operation: string
  readonly cells: number
  readonly batches: number
  /** Of its objects, each counted once. */
  readonly bytes: number
}

/** What the store holds by operation, or what of it a run made. Read from the index alone. */
export function holdings({ db }: Store, run: string | null = null): Holding[] {
  const where = run === null ? '' : 'WHERE units.run = ?'
  const rows = <T>(sql: string) => db.prepare(sql).all(...(run === null ? [] : [run])) as T[]
  const batches = rows<{ operation: string; batches: number }>(
    `SELECT operation, count(*) AS batches FROM units ${where} GROUP BY operation ORDER BY min(id)`,
  )
  const cells = rows<{ operation: string; amount: number }>(
    `SELECT operation, count(*) AS amount FROM units JOIN cells ON cells.unit = units.id ${where} GROUP BY operation`,
  )
  const bytes = rows<{ operation: string; amount: number }>(
    `SELECT operation, sum(bytes) AS amount FROM (SELECT DISTINCT operation, objects.digest, bytes FROM units
     JOIN unit_objects ON unit_objects.unit = units.id JOIN objects ON objects.digest = unit_objects.object ${where}) GROUP BY operation`,
  )
  const amounts = (list: readonly { operation: string; amount: number }[]) => new Map(list.map((row) => [row.operation, row.amount]))
  const [cellsOf, bytesOf] = [amounts(cells), amounts(bytes)]
  return batches.map((row) => ({ ...row, cells: cellsOf.get(row.operation) ?? 0, bytes: bytesOf.get(row.operation) ?? 0 }))
}

/** Bytes of what the store notes of its cells: the database and the manifests. */
export function indexBytes({ layout }: Store): number {
  const manifests = readdirSync(layout.manifests).map((name) => path.join(layout.manifests, name))
  const files = [layout.index, `${layout.index}-wal`, ...manifests]
  return files.reduce((sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0), 0)
}

/** Bytes of every object that is in use, by its digest. */
export function objectSizes({ db }: Store): Map<Digest, number> {
  const rows = db.prepare('SELECT lower(hex(digest)) AS digest, bytes FROM objects').iterate() as Iterable<{
    digest: Digest
    bytes: number
  }>
  return new Map(Array.from(rows, ({ digest, bytes }) => [digest, bytes]))
}

/** The objects of a task that is noted as done under its deep key, else null. */
export function objectsNoted({ db }: Store): (deep: Digest) => readonly Digest[] | null {
  const find = db.prepare('SELECT objects FROM done WHERE deep = ?')
  return (deep) => {
    const row = find.get(toBlob(deep)) as { objects: string } | undefined
    return row ? (parseOrNull(row.objects) as unknown as Digest[] | null) : null
  }
}
