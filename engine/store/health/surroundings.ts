import { closeSync, constants, copyFileSync, existsSync, openSync, readdirSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { openIndex } from '../index/index-db.ts'
import { type StoreLayout, storeLayout } from '../files/layout.ts'
import { lockHolder } from '../files/lock.ts'
import { entriesOf, quarantined } from '../gc/survey.ts'

/** What the store depends on, as found. */
export interface Surroundings {
  readonly root: string
  readonly sqlite: string
  readonly fileSystem: FileSystem
  /** Null when the folder cannot be written to; then `problem` says why. */
  readonly probe: Probe | null
  readonly problem: string | null
  /** Null while there is no store yet. */
  readonly store: StoreFacts | null
}

export interface FileSystem {
  /** The kernel's number of its type. */
  readonly type: number
  readonly freeBytes: number
  readonly freeInodes: number
  /** 0 where inodes are not counted. */
  readonly inodes: number
}

/** What a file written for the purpose showed. */
export interface Probe {
  readonly reflink: boolean
  readonly directRead: boolean
  /** How far the file system's clock is ahead of this machine's, in milliseconds. */
  readonly clockAhead: number
}

export interface StoreFacts {
  /** Folders and files that others may enter or read, with their mode. */
  readonly open: readonly { readonly path: string; readonly mode: string }[]
  readonly ownedByOther: boolean
  readonly heldBy: string | null
  readonly staging: { readonly entries: number; readonly bytes: number }
  readonly quarantine: { readonly entries: number; readonly bytes: number }
  /** How far the newest manifest is ahead of now, in milliseconds. */
  readonly newestAhead: number | null
  readonly index: IndexFacts | { readonly problem: string }
}

export interface IndexFacts {
  /** False when it is to be rebuilt from the manifests. */
  readonly there: boolean
  readonly units: number
  readonly manifests: number
  /** Manifests that the index names and that are gone, and those that it does not know. */
  readonly missing: number
  readonly unknown: number
}

/** Looks at the store's folder and what is beneath it; leaves nothing behind. */
export function surroundings(root: string, now: () => number): Surroundings {
  const { type, bavail, bsize, ffree, files } = statfsSync(root)
  const probed = probe(root, now)
  return {
    root,
    sqlite: sqliteVersion(),
    fileSystem: { type, freeBytes: bavail * bsize, freeInodes: ffree, inodes: files },
    ...(typeof probed === 'string' ? { probe: null, problem: probed } : { probe: probed, problem: null }),
    store: existsSync(storeLayout(root).manifests) ? storeFacts(storeLayout(root), now()) : null,
  }
}

function sqliteVersion(): string {
  const db = new DatabaseSync(':memory:')
  const { version } = db.prepare('SELECT sqlite_version() AS version').get() as { version: string }
  db.close()
  return version
}

function probe(root: string, now: () => number): Probe | string {
  const file = path.join(root, `.doctor-${process.pid}`)
  try {
    writeFileSync(file, new Uint8Array(4096), { flag: 'wx', mode: 0o600 })
    return {
      clockAhead: Math.round(statSync(file).mtimeMs - now()),
      reflink: succeeds(() => copyFileSync(file, `${file}.copy`, constants.COPYFILE_FICLONE_FORCE)),
      directRead: succeeds(() => closeSync(openSync(file, constants.O_RDONLY | constants.O_DIRECT))),
    }
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? (error as Error).message
  } finally {
    rmSync(file, { force: true })
    rmSync(`${file}.copy`, { force: true })
  }
}

function succeeds(work: () => void): boolean {
  try {
    work()
    return true
  } catch {
    return false
  }
}

function storeFacts(layout: StoreLayout, now: number): StoreFacts {
  const inner = [layout.objects, layout.manifests, layout.staging, layout.quarantine, layout.runs, layout.index]
  const stats = inner.flatMap((file) => {
    const stat = statSync(file, { throwIfNoEntry: false })
    return stat ? [{ file, stat }] : []
  })
  const total = (entries: readonly { bytes: number }[]) => ({
    entries: entries.length,
    bytes: entries.reduce((sum, { bytes }) => sum + bytes, 0),
  })
  const newest = Math.max(...readdirSync(layout.manifests).map((name) => mtimeOf(path.join(layout.manifests, name))))
  return {
    open: stats
      .filter(({ stat }) => (stat.mode & 0o077) !== 0)
      .map(({ file, stat }) => ({ path: file, mode: (stat.mode & 0o777).toString(8).padStart(4, '0') })),
    ownedByOther: stats.some(({ stat }) => stat.uid !== process.getuid?.()),
    heldBy: lockHolder(layout)?.text ?? null,
    staging: total(entriesOf(layout.staging, now)),
    quarantine: total(quarantined(layout, now)),
    newestAhead: Number.isFinite(newest) ? Math.round(newest - now) : null,
    index: indexFacts(layout),
  }
}

function mtimeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Number.NEGATIVE_INFINITY
}

function indexFacts(layout: StoreLayout): IndexFacts | { problem: string } {
  const onDisk = new Set(readdirSync(layout.manifests))
  if (!existsSync(layout.index)) return { there: false, units: 0, manifests: onDisk.size, missing: 0, unknown: 0 }
  try {
    const db = openIndex(layout.index)
    try {
      const rows = db.prepare('SELECT manifest FROM units').all() as { manifest: string }[]
      const missing = rows.filter(({ manifest }) => !onDisk.has(manifest)).length
      const known = rows.length - missing
      return { there: rows.length > 0, units: rows.length, manifests: onDisk.size, missing, unknown: onDisk.size - known }
    } finally {
      db.close()
    }
  } catch (error) {
    return { problem: (error as Error).message }
  }
}
