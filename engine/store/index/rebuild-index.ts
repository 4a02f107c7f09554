import { existsSync, readdirSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { toBlob } from './blob.ts'
import type { Evicted } from '../files/evicted.ts'
import { objectPath, type StoreLayout } from '../files/layout.ts'
import { openManifest } from '../files/manifest-file.ts'
import type { Manifest } from '../files/manifest.ts'
import { insertManifest } from './manifest-rows.ts'
import { inTransaction } from './transaction.ts'

/** Steps of making an index again: each manifest is read twice. */
export interface RebuildProgress {
  readonly done: number
  readonly total: number
}

export function isEmpty(db: DatabaseSync): boolean {
  return db.prepare('SELECT 1 FROM units LIMIT 1').get() === undefined
}

/**
 * Fills an empty index from the manifests, oldest first. One that does not match its name is skipped. They are read once
 * for their order and once for what they say, so that memory holds one at a time.
 */
export function rebuildIndex(
  db: DatabaseSync,
  layout: StoreLayout,
  evicted: Evicted,
  onProgress: (progress: RebuildProgress) => void = () => {},
): void {
  const names = readdirSync(layout.manifests)
  const progress = { done: 0, total: 2 * names.length }
  const read = (name: string): Manifest | null => {
    progress.done++
    onProgress({ ...progress })
    return openManifest(layout, name)
  }
  const found = names.flatMap((name) => {
    const manifest = read(name)
    return manifest ? [{ name, created: manifest.created }] : []
  })
  if (found.length === 0) return
  found.sort((a, b) => a.created - b.created || (a.name < b.name ? -1 : 1))
  inTransaction(db, () => {
    for (const { name } of found) {
      const manifest = read(name)
      if (manifest) insertManifest(db, name, manifest)
    }
    const forget = db.prepare('DELETE FROM objects WHERE digest = ?')
    for (const object of evicted.all) if (!existsSync(objectPath(layout, object))) forget.run(toBlob(object))
  })
}
