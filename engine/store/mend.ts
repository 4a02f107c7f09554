import { existsSync, renameSync } from 'node:fs'
import path from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import type { Maker } from '../core/maker.ts'
import type { Components, Facts, Slot } from '../core/step-kind.ts'
import type { UnitRow } from './index/check-index.ts'
import { objectPath, type StoreLayout } from './files/layout.ts'
import type { Manifest } from './files/manifest.ts'
import { toBlob, toHex } from './index/blob.ts'
import { manifestFile, placeManifest } from './files/manifest-file.ts'
import { insertManifest } from './index/manifest-rows.ts'
import type { Store } from './store.ts'
import { storedJson } from './index/stored-json.ts'
import { inTransaction } from './index/transaction.ts'

/** Takes a file of the store out of use, and keeps it. */
export function setAside(layout: StoreLayout, file: string): void {
  if (existsSync(file)) renameSync(file, path.join(layout.quarantine, `${path.basename(file)}.${Date.now()}`))
}

/** Writes the manifest of a unit anew from its rows, so that no cell of it need be made again. */
export function rewriteManifest(store: Store, unit: UnitRow): void {
  const manifest = manifestOfRows(store.db, unit)
  const file = manifestFile(manifest)
  placeManifest(store.layout, file, path.join(store.layout.staging, `${file.name}.${process.pid}`))
  reindexUnit(store, { ...unit, manifest: file.name }, manifest)
}

/** Puts the rows of a unit back as its manifest has them; cells that have moved to a later unit stay there. */
export function reindexUnit({ db, layout }: Store, unit: UnitRow, manifest: Manifest): void {
  const keys = JSON.stringify(manifest.cells.map(({ key }) => key))
  inTransaction(db, () => {
    db.prepare('CREATE TEMP TABLE moved AS SELECT * FROM cells WHERE unit != ? AND key IN (SELECT unhex(value) FROM json_each(?))').run(
      unit.id,
      keys,
    )
    for (const statement of ['DELETE FROM units WHERE id = ?', ...unitTables.map((table) => `DELETE FROM ${table} WHERE unit = ?`)])
      db.prepare(statement).run(unit.id)
    insertManifest(db, unit.manifest, manifest, unit.id)
    db.exec('INSERT OR REPLACE INTO cells SELECT * FROM moved; DROP TABLE moved; DELETE FROM done')
    const forget = db.prepare('DELETE FROM objects WHERE digest = ?')
    for (const { digest } of manifest.objects) if (!existsSync(objectPath(layout, digest))) forget.run(toBlob(digest))
  })
}

/** Tables with rows that belong to a unit. */
export const unitTables = ['cells', 'unit_objects', 'uses'] as const

function manifestOfRows(db: DatabaseSync, unit: UnitRow): Manifest {
  const { run, workflow, task, operation, created, shared, maker } = unit
  const objects = db
    .prepare('SELECT digest, bytes FROM unit_objects JOIN objects ON digest = object WHERE unit = ? ORDER BY digest')
    .all(unit.id) as { digest: Uint8Array; bytes: number }[]
  const cells = db
    .prepare(
      `SELECT cell, key, digest, slot, own, inputs, facts FROM cells
       WHERE unit = ? AND EXISTS (SELECT 1 FROM objects WHERE objects.digest = unhex(slot ->> '$.object')) ORDER BY cell, key`,
    )
    .all(unit.id) as unknown as {
    cell: string
    key: Uint8Array
    digest: Uint8Array
    slot: string
    own: string
    inputs: string
    facts: string
  }[]
  return {
    format: 1,
    run,
    workflow,
    task,
    operation,
    created,
    ...(maker === null ? {} : { maker: storedJson(maker) as Maker }),
    shared: storedJson(shared) as Components,
    objects: objects.map(({ digest, bytes }) => ({ digest: toHex(digest), bytes })),
    cells: cells.map((row) => ({
      cell: row.cell,
      key: toHex(row.key),
      digest: toHex(row.digest),
      slot: storedJson(row.slot) as Slot,
      own: storedJson(row.own) as Components,
      inputs: storedJson(row.inputs) as string[],
      facts: storedJson(row.facts) as Facts,
    })),
  }
}
