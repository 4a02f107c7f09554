import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, onTestFinished, test } from 'vitest'
import type { Maker } from '../../engine/core/maker.ts'
import { openManifest } from '../../engine/store/files/manifest-file.ts'
import { openStore, type Store } from '../../engine/store/store.ts'

const maker: Maker = { versions: { torch: '2.13.0' }, device: 'cpu', threads: 2 }

/** A store with a batch that says what made it, and one that does not. */
function storeOfTwo(): { folder: string; makers(store: Store): (Maker | null)[] } {
  const folder = mkdtempSync(path.join(tmpdir(), 'dag-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const store = openStore(folder)
  for (const created of [1, 2]) {
    const staging = path.join(store.layout.staging, String(created))
    mkdirSync(staging)
    const batch = { run: 'r', workflow: 'w', task: `t${created}`, operation: 'o', created, shared: {}, objects: [], cells: [] }
    store.commit({ format: 1, ...batch, ...(created === 1 ? { maker } : {}) }, staging, [])
  }
  store.close()
  return { folder, makers: ({ unit }) => [unit(1).maker, unit(2).maker] }
}

function opened(folder: string): Store {
  const store = openStore(folder)
  onTestFinished(() => store.close())
  return store
}

test('what computed a batch is kept with it, also where the index is lost', () => {
  const { folder, makers } = storeOfTwo()
  for (const suffix of ['', '-wal', '-shm']) rmSync(path.join(folder, `index.db${suffix}`), { force: true })
  const store = opened(folder)
  expect(makers(store)).toEqual([maker, null])
  const { manifest } = store.db.prepare('SELECT manifest FROM units WHERE id = 1').get() as { manifest: string }
  expect(openManifest(store.layout, manifest)?.maker).toEqual(maker)
})

test('an index of before it was noted is opened as it is: of its batches nobody knows what computed them', () => {
  const { folder, makers } = storeOfTwo()
  const db = new DatabaseSync(path.join(folder, 'index.db'))
  db.exec('ALTER TABLE units DROP COLUMN maker; PRAGMA user_version=3')
  db.close()
  const store = opened(folder)
  expect(makers(store)).toEqual([null, null])
  expect(store.db.prepare('PRAGMA user_version').get()).toEqual({ user_version: 4 })
})
