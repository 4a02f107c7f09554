import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import path from 'node:path'
import { digestOfBytes } from '../core/digest.ts'
import { removeEmpty, writeDurably } from './files/durable.ts'
import { fileOfName, indexName } from './files/layout.ts'
import type { Store } from './store.ts'
import { syncFolder } from './files/sync.ts'

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

/** A folder that shows a workflow's results. */
export interface View {
  readonly folder: string
  /** Of which workflow: several may show their results in one folder. */
  readonly workflow: string
}

/** What was done to bring a view up to date. */
export interface ViewChanges {
  readonly written: number
  readonly removed: number
  /** Files that somebody had edited: kept under this name, beside the fresh one where there is one. */
  readonly keptAside: readonly string[]
  /** Of other workflows that show their results in this folder: how many of those were written over. */
  readonly writtenOver: Readonly<Record<string, number>>
}

/**
 * Brings an experiment's folder up to date: a disposable copy of results that people look at. A file that is as we
 * left it is not touched; one that is gone is restored; one that was edited is kept aside, never overwritten. Files that
 * are not ours stay.
 */
export class ViewRefresh {
  readonly #store: Store
  readonly #view: View
  readonly #shown = new Set<string>()
  readonly #keptAside: string[] = []
  readonly #writtenOver: Record<string, number> = {}
  #written = 0

  constructor(store: Store, view: View) {
    this.#store = store
    this.#view = view
  }

  /** Brings some of the files up to date. Answers how many were written. @throws Error when the folder is foreign. */
  async show(files: readonly ViewFile[]): Promise<number> {
    const { folder, workflow } = this.#view
    for (const file of files) this.#shown.add(path.join(folder, file.path))
    const stale = staleFiles(this.#store, this.#view, files)
    if (stale.length === 0) return 0
    claim(folder)
    const { db } = this.#store
    // That they are ours is known before they are there, so that what a killed run leaves of them can be taken away.
    const announce = db.prepare('INSERT OR IGNORE INTO views (path, digest, workflow) VALUES (?, ?, ?)')
    this.#store.transaction(() => stale.forEach(({ name, digest }) => announce.run(name, digest, workflow)))
    const written = stale.filter(({ isCurrent }) => !isCurrent)
    for (const file of written) await this.#write(file)
    for (const touched of new Set(written.map(({ target }) => path.dirname(target)))) syncFolder(touched)
    const remember = db.prepare(
      'INSERT OR REPLACE INTO views (path, digest, size, mtime, ctime, inode, workflow) VALUES (?, ?, ?, ?, ?, ?, ?)',
    )
    this.#store.transaction(() => {
      for (const { name, target, digest } of stale) {
        const stat = statSync(target, { bigint: true })
        remember.run(name, digest, Number(stat.size), String(stat.mtimeNs), String(stat.ctimeNs), String(stat.ino), workflow)
      }
    })
    this.#written += written.length
    return written.length
  }

  /** `complete`: all was shown, so that what the workflow showed before and shows no longer goes. */
  end(complete: boolean): ViewChanges {
    const former = complete ? removeFormer(this.#store, this.#view, this.#shown) : { removed: 0, keptAside: [] }
    const keptAside = [...this.#keptAside, ...former.keptAside]
    return { written: this.#written, removed: former.removed, keptAside, writtenOver: this.#writtenOver }
  }

  async #write({ target, content, isEdited, shownBy }: StaleFile): Promise<void> {
    if (shownBy !== null) this.#writtenOver[shownBy] = (this.#writtenOver[shownBy] ?? 0) + 1
    const fresh = await content()
    if (isEdited && digestOfBytes(readFileSync(target)) !== digestOfBytes(fresh)) this.#keptAside.push(keepAside(target))
    writeByRename(target, fresh)
  }
}

/** A file of a view that is to be written, or where it is current to be remembered as this workflow's. */
interface StaleFile extends ViewFile {
  /** As the index has it. */
  readonly name: string
  readonly target: string
  readonly isCurrent: boolean
  /** It is there, and not as we left it. */
  readonly isEdited: boolean
  /** Another workflow that left it as it is there. */
  readonly shownBy: string | null
}

function staleFiles(store: Store, { folder, workflow }: View, files: readonly ViewFile[]): StaleFile[] {
  const recall = store.db.prepare('SELECT * FROM views WHERE path = ?')
  return files.flatMap((file) => {
    const target = path.join(folder, file.path)
    const name = indexName(store.layout, target)
    const known = recall.get(name) as ViewRow | undefined
    const stat = statSync(target, { bigint: true, throwIfNoEntry: false })
    const isOurs = stat !== undefined && known !== undefined && sameStamp(known, stat)
    const isCurrent = isOurs && known.digest === file.digest
    if (isCurrent && known.workflow === workflow) return []
    const shownBy = isOurs && known.workflow !== workflow ? known.workflow : null
    return [{ ...file, name, target, isCurrent, isEdited: stat !== undefined && !isOurs, shownBy }]
  })
}

/** Takes away what the workflow showed once and shows no longer; what was edited meanwhile is kept aside. */
function removeFormer(store: Store, { folder, workflow }: View, shown: ReadonlySet<string>): Pick<ViewChanges, 'removed' | 'keptAside'> {
  const rows = store.db.prepare('SELECT * FROM views WHERE workflow = ?').all(workflow) as unknown as (ViewRow & { path: string })[]
  const former = rows
    .map((row) => ({ ...row, file: fileOfName(store.layout, row.path) }))
    .filter(({ file }) => file.startsWith(folder + path.sep) && !shown.has(file))
  const keptAside: string[] = []
  let removed = 0
  for (const row of former) {
    const stat = statSync(row.file, { bigint: true, throwIfNoEntry: false })
    if (stat && sameStamp(row, stat)) {
      rmSync(row.file)
      removed++
    } else if (stat) keptAside.push(keepAside(row.file))
    removeEmpty(path.dirname(row.file), folder)
  }
  const forget = store.db.prepare('DELETE FROM views WHERE path = ?')
  if (former.length > 0) store.transaction(() => former.forEach((row) => forget.run(row.path)))
  return { removed, keptAside }
}

/** A file as it was written; its stamp is null where a run was killed before it had one. */
export interface ViewRow {
  readonly digest: string
  readonly size: number | null
  readonly mtime: string | null
  readonly ctime: string | null
  readonly inode: string | null
  readonly workflow: string | null
}

export function sameStamp(row: ViewRow, stat: { size: bigint; mtimeNs: bigint; ctimeNs: bigint; ino: bigint }): boolean {
  return (
    row.size === Number(stat.size) &&
    row.mtime === String(stat.mtimeNs) &&
    row.ctime === String(stat.ctimeNs) &&
    row.inode === String(stat.ino)
  )
}

/** Whether results cannot be shown in a folder, since it holds something that is not ours. An empty one may be of a run that was killed. */
export function isForeign(folder: string): boolean {
  const stat = statSync(folder, { throwIfNoEntry: false })
  if (!stat) return false
  return !stat.isDirectory() || (!existsSync(path.join(folder, viewMarker)) && readdirSync(folder).length > 0)
}

/**
 * Takes a folder for a view, which the run has looked at before it began. The mark is on disk before anything else is in
 * the folder: a power cut must not leave our files without it.
 */
function claim(folder: string): void {
  if (isForeign(folder)) throw new Error(`${folder} holds files that dag did not make: they came during the run`)
  const marker = path.join(folder, viewMarker)
  if (existsSync(marker)) return
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
