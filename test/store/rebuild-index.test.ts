import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { zstdDecompressSync } from 'node:zlib'
import { expect, onTestFinished, test } from 'vitest'
import { digestOfBytes } from '../../engine/core/digest.ts'
import { stageBytes } from '../../engine/store/files/durable.ts'
import type { RebuildProgress } from '../../engine/store/index/rebuild-index.ts'
import { openStore, type Store } from '../../engine/store/store.ts'

/** A store in which two batches hold the same cell, made at these times, one after the other. */
function storeOf(...created: readonly number[]): { folder: string; keys: string[]; objects: string[] } {
  const folder = mkdtempSync(path.join(tmpdir(), 'dag-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const store = openStore(folder)
  const keys = [digestOfBytes('both'), ...created.map((time) => digestOfBytes(`only ${time}`))]
  const objects = created.map((time, index) => commit(store, time, [keys[0], keys[index + 1]] as string[]))
  store.close()
  return { folder, keys, objects }
}

function commit(store: Store, created: number, keys: readonly string[]): string {
  const staging = path.join(store.layout.staging, String(created))
  mkdirSync(staging)
  const file = stageBytes(staging, 'made', Buffer.from(`made at ${created}`))
  const slot = { object: file.digest, format: 'file' } as const
  const cells = keys.map((key, index) => ({ cell: `c${index}`, key, digest: file.digest, slot, own: {}, inputs: [], facts: {} }))
  const batch = { run: 'r', workflow: 'w', task: `t${created}`, operation: 'o', created, shared: {} }
  store.commit({ format: 1, ...batch, objects: [file], cells }, staging, [file])
  return file.digest
}

const manifestsOf = (folder: string) => readdirSync(path.join(folder, 'manifests')).map((name) => path.join(folder, 'manifests', name))

/** In which objects a store whose index is lost finds cells, and how far it said to be. */
function rebuilt(folder: string, keys: readonly string[]): { found: (string | undefined)[]; progress: RebuildProgress[] } {
  for (const suffix of ['', '-wal', '-shm']) rmSync(path.join(folder, `index.db${suffix}`), { force: true })
  const progress: RebuildProgress[] = []
  const store = openStore(folder, (at) => progress.push(at))
  onTestFinished(() => store.close())
  return { found: keys.map((key) => store.find(key)?.slot.object), progress }
}

test('manifests lie packed under the digests of their bytes', () => {
  const [file] = manifestsOf(storeOf(1).folder) as [string]
  const bytes = readFileSync(file)
  expect(path.basename(file)).toBe(`${digestOfBytes(bytes)}.json.zst`)
  expect(JSON.parse(zstdDecompressSync(bytes).toString())).toMatchObject({ format: 1, task: 't1', cells: [{ cell: 'c0' }, { cell: 'c1' }] })
})

test('a lost index is made again batch by batch, the oldest first, and says how far that is', () => {
  const { folder, keys, objects } = storeOf(2, 1)
  const { found, progress } = rebuilt(folder, keys)
  expect(found).toEqual([objects[0], objects[0], objects[1]])
  expect(progress).toEqual([1, 2, 3, 4].map((done) => ({ done, total: 4 })))
})

test('a manifest of a store from before they were packed counts as it is', () => {
  const { folder, keys, objects } = storeOf(1, 2)
  for (const file of manifestsOf(folder)) {
    const text = zstdDecompressSync(readFileSync(file))
    rmSync(file)
    writeFileSync(path.join(path.dirname(file), `${digestOfBytes(text)}.json`), text)
  }
  expect(rebuilt(folder, keys).found).toEqual([objects[1], objects[0], objects[1]])
})

test('a manifest with a byte more than its name tells is left out', () => {
  const { folder, keys, objects } = storeOf(1, 2)
  const second = manifestsOf(folder).find((file) => zstdDecompressSync(readFileSync(file)).includes('"t2"')) as string
  writeFileSync(second, Buffer.concat([readFileSync(second), Buffer.from(' ')]))
  expect(rebuilt(folder, keys).found).toEqual([objects[0], objects[0], undefined])
})
