import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Digest } from '../../core/digest.ts'
import type { Finding } from './damage.ts'
import { createDiskReader, type DiskReader } from '../files/direct-read.ts'
import { objectPath } from '../files/layout.ts'
import type { StoredFile } from '../files/manifest.ts'
import type { Store } from '../store.ts'
import { chooseSubset } from './subset.ts'
import { damagedObject } from './verify-checks.ts'

/** What was read of the objects. */
export interface ReadReport {
  readonly objects: number
  readonly bytes: number
  readonly seconds: number
  /** A file system allowed no reading past the page cache. */
  readonly throughCache: boolean
  /** How many more readings of this share reach the end of the store; null when all was to be read. */
  readonly more: number | null
}

/** Files that are read at the same time. */
const readers = 4

/**
 * Reads objects past the page cache and checks their digests: all of them, or the next share. Where a partial reading
 * ended is kept in the store's folder.
 */
export async function readObjects(
  store: Store,
  objects: readonly StoredFile[],
  share: number,
  keepCursor: boolean,
  onRead: (bytes: number, ofBytes: number) => void,
): Promise<{ report: ReadReport; findings: Finding[] }> {
  const cursorFile = path.join(store.layout.root, 'verified.json')
  const subset = share < 1 ? chooseSubset(objects, readCursor(cursorFile), share) : { chosen: objects, cursor: null, more: null }
  const ofBytes = subset.chosen.reduce((sum, { bytes }) => sum + bytes, 0)
  const started = performance.now()
  const findings: Finding[] = []
  let bytes = 0
  let next = 0
  const pool = Array.from({ length: Math.min(readers, subset.chosen.length) }, createDiskReader)
  await Promise.all(
    pool.map(async (reader) => {
      for (let object = subset.chosen[next++]; object; object = subset.chosen[next++]) {
        const known = object
        const problem = await dataProblem(store, known, reader)
        if (problem !== null)
          findings.push(damagedObject(store, known, problem, async () => (await dataProblem(store, known, reader)) !== null))
        bytes += known.bytes
        onRead(bytes, ofBytes)
      }
    }),
  )
  if (share < 1 && keepCursor) writeCursor(cursorFile, subset.cursor)
  const report = {
    objects: subset.chosen.length,
    bytes,
    seconds: (performance.now() - started) / 1000,
    throughCache: pool.some((reader) => reader.throughCache),
    more: subset.more,
  }
  return { report, findings: findings.sort((a, b) => (a.name < b.name ? -1 : 1)) }
}

async function dataProblem(store: Store, { digest }: StoredFile, reader: DiskReader): Promise<string | null> {
  try {
    return (await reader.digest(objectPath(store.layout, digest))) === digest ? null : 'does not match its digest'
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return code === 'ENOENT' ? 'is gone' : `cannot be read: ${code ?? (error as Error).message}`
  }
}

function readCursor(file: string): Digest | null {
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as { cursor: Digest | null }).cursor
  } catch {
    return null
  }
}

function writeCursor(file: string, cursor: Digest | null): void {
  writeFileSync(`${file}.new`, `${JSON.stringify({ cursor })}\n`)
  renameSync(`${file}.new`, file)
}
