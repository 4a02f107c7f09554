import path from 'node:path'
import type { Digest } from '../core/digest.ts'
import { fail, ok, type Result } from '../core/result.ts'
import { indexName } from '../store/files/layout.ts'
import { toBlob, toHex } from '../store/index/blob.ts'
import type { Store } from '../store/store.ts'
import type { Line } from './line.ts'

/** What a person named: a stored cell, and the line of it that they point at. */
export interface Found {
  readonly key: Digest
  readonly line: Line | null
}

/**
 * Finds the cell behind what a person writes: a result file, `file:line`, `task:cell`, or the first digits (eight at
 * least) of a key or digest. `readFile` gives null for a file that is not there.
 */
export function findCell(store: Store, artifact: string, readFile: (file: string) => string | null): Result<Found, string> {
  const byFile = ofFile(store, artifact, readFile)
  if (byFile) return byFile
  if (/^[0-9a-f]{8,64}$/.test(artifact)) return ofDigest(store, artifact)
  const colon = artifact.indexOf(':')
  if (colon > 0) {
    const key = latestOf(store, artifact.slice(0, colon), artifact.slice(colon + 1))
    if (key) return ok({ key, line: null })
  }
  return fail(`nothing here is called "${artifact}"`)
}

function ofFile(store: Store, artifact: string, readFile: (file: string) => string | null): Result<Found, string> | null {
  const [, name, number] = /^(.*?)(?::(\d+))?$/.exec(artifact) as unknown as [string, string, string | undefined]
  const file = path.resolve(name)
  const text = readFile(file)
  if (text === null) return null
  const row = store.db.prepare('SELECT digest FROM views WHERE path = ?').get(indexName(store.layout, file)) as
    | { digest: string }
    | undefined
  if (!row) return fail(`${name} is not a result that this store shows`)
  const key = keyOfDigest(store, row.digest)
  if (!key) return fail(`the store no longer holds what ${name} was made from`)
  if (number === undefined) return ok({ key, line: null })
  const line = { file, text, number: Number(number) }
  return line.number < 1 || text.split('\n').length < line.number ? fail(`${name} has no line ${number}`) : ok({ key, line })
}

function ofDigest(store: Store, digits: string): Result<Found, string> {
  const low = toBlob(digits.padEnd(64, '0'))
  const high = toBlob(digits.padEnd(64, 'f'))
  const keys = store.db.prepare('SELECT key FROM cells WHERE key BETWEEN ? AND ? LIMIT 2').all(low, high) as { key: Uint8Array }[]
  if (keys.length > 1) return fail(`"${digits}" is the beginning of several keys; write more of it`)
  if (keys[0]) return ok({ key: toHex(keys[0].key), line: null })
  const byDigest = store.db.prepare('SELECT key FROM cells WHERE digest BETWEEN ? AND ? LIMIT 1').get(low, high) as
    | { key: Uint8Array }
    | undefined
  return byDigest ? ok({ key: toHex(byDigest.key), line: null }) : fail(`no cell has a key or digest that begins with ${digits}`)
}

function keyOfDigest(store: Store, digest: Digest): Digest | null {
  const row = store.db.prepare('SELECT key FROM cells WHERE digest = ? ORDER BY unit DESC LIMIT 1').get(toBlob(digest)) as
    | { key: Uint8Array }
    | undefined
  return row ? toHex(row.key) : null
}

function latestOf(store: Store, task: string, cell: string): Digest | null {
  const row = store.db
    .prepare(
      'SELECT cells.key AS key FROM units JOIN cells ON cells.unit = units.id WHERE units.task = ? AND cells.cell = ? ORDER BY units.id DESC LIMIT 1',
    )
    .get(task, cell) as { key: Uint8Array } | undefined
  return row ? toHex(row.key) : null
}
