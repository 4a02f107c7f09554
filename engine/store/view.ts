import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import path from 'node:path'
import { digestOfBytes } from '../core/digest.ts'
import { writeDurably } from './durable.ts'
import type { Store } from './store.ts'
import { syncFolder } from './sync.ts'

/** Marks a folder as a view that the engine made and may make again. */
export const viewMarker = '.made-by-dag'

/** One file of a view and what it must hold. */
export interface ViewFile {
  /** Relative to the view's folder. */
  readonly path: string
  /** Digest of the cell it shows; a file of the same name made from the same cell is not written again. */
  readonly digest: string
  content(): Promise<string | Uint8Array>
}

/** What was done to bring a view up to date. */
export interface ViewChanges {
  readonly written: number
  /** Files that somebody had edited: kept under this name beside the fresh one. */
  readonly keptAside: readonly string[]
}

/**
 * Brings an experiment's folder up to date: a disposable copy of results that people look at. A file that is as we
 * left it is not touched; one that is gone is restored; one that was edited is kept aside, never overwritten.
 * @throws Error when the folder exists, is not empty and is not ours.
 */
export async function refreshView(store: Store, folder: string, files: readonly ViewFile[]): Promise<ViewChanges> {
  if (files.length === 0) return { written: 0, keptAside: [] }
  claim(folder)
  const recall = store.db.prepare('SELECT digest, size, mtime, ctime, inode FROM views WHERE path = ?')
  const remember = store.db.prepare('INSERT OR REPLACE INTO views (path, digest, size, mtime, ctime, inode) VALUES (?, ?, ?, ?, ?, ?)')
  const fresh: [string, string][] = []
  const keptAside: string[] = []
  for (const file of files) {
    const target = path.join(folder, file.path)
    const known = recall.get(target) as ViewRow | undefined
    const stat = statSync(target, { bigint: true, throwIfNoEntry: false })
    const untouched = stat && known && sameStamp(known, stat)
    if (untouched && known.digest === file.digest) continue
    const content = await file.content()
    if (stat && !untouched) {
      if (digestOfBytes(readFileSync(target)) !== digestOfBytes(content)) keptAside.push(keepAside(target))
    }
    writeByRename(target, content)
    fresh.push([target, file.digest])
  }
  if (fresh.length > 0) {
    for (const touched of new Set(fresh.map(([target]) => path.dirname(target)))) syncFolder(touched)
    store.transaction(() => {
      for (const [target, digest] of fresh) {
        const stat = statSync(target, { bigint: true })
        remember.run(target, digest, Number(stat.size), String(stat.mtimeNs), String(stat.ctimeNs), String(stat.ino))
      }
    })
  }
  return { written: fresh.length, keptAside }
}

export interface ViewRow {
  readonly digest: string
  readonly size: number
  readonly mtime: string
  readonly ctime: string
  readonly inode: string
}

export function sameStamp(row: ViewRow, stat: { size: bigint; mtimeNs: bigint; ctimeNs: bigint; ino: bigint }): boolean {
  return (
    row.size === Number(stat.size) &&
    row.mtime === String(stat.mtimeNs) &&
    row.ctime === String(stat.ctimeNs) &&
    row.inode === String(stat.ino)
  )
}

/**
 * Takes a folder for a view, unless it holds something that is not ours. An empty one may be of a run that was killed.
 * The mark is on disk before anything else is in the folder: a power cut must not leave our files without it.
 */
function claim(folder: string): void {
  const marker = path.join(folder, viewMarker)
  if (existsSync(marker)) return
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    throw new Error(`${folder} exists and was not made by dag: move it away, or choose another \`experiment:\` name`)
  }
  mkdirSync(folder, { recursive: true })
  writeDurably(marker, 'A view of results that dag made. Delete it freely: the next run makes it again.\n', 0o644)
  syncFolder(folder)
}

function keepAside(target: string): string {
  for (let number = 1; ; number++) {
    const aside = `${target}.edited-${number}`
    if (existsSync(aside)) continue
    renameSync(target, aside)
    return aside
  }
}

/** The temporary name is always the same one, so that what a killed run left of it is gone with the next write. */
function writeByRename(target: string, content: string | Uint8Array): void {
  const temporary = `${target}.tmp`
  mkdirSync(path.dirname(target), { recursive: true })
  rmSync(temporary, { force: true })
  writeDurably(temporary, content, 0o644)
  renameSync(temporary, target)
}
