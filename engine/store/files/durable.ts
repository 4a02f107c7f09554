import { chmodSync, closeSync, existsSync, mkdirSync, openSync, readdirSync, renameSync, rmdirSync, rmSync, writeSync } from 'node:fs'
import path from 'node:path'
import { createHasher, type Digest, digestOfBytes } from '../../core/digest.ts'
import { atFile } from '../../core/system-error.ts'
import type { StoreLayout } from './layout.ts'
import { objectPath } from './layout.ts'
import { syncDescriptor, syncFolder } from './sync.ts'

/** A file written into a staging folder, hashed and synced by its writer. */
export interface StagedFile {
  readonly name: string
  readonly digest: Digest
  readonly bytes: number
}

/** Writes a file and syncs it through the descriptor that wrote it. A failed write or sync is never retried. */
export function writeDurably(file: string, data: Uint8Array | string, mode = 0o600): void {
  const bytes = typeof data === 'string' ? Buffer.from(data) : data
  const descriptor = openSync(file, 'wx', mode)
  try {
    atFile(file, () => {
      writeAll(descriptor, bytes)
      syncDescriptor(descriptor)
    })
  } finally {
    closeSync(descriptor)
  }
}

function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length; ) written += writeSync(descriptor, bytes, written)
}

/** Writes a file, or one in its place, that is seen whole or not at all, also after a power cut. */
export function replaceDurably(file: string, data: Uint8Array | string): void {
  const temporary = `${file}.new`
  rmSync(temporary, { force: true })
  writeDurably(temporary, data)
  renameSync(temporary, file)
  syncFolder(path.dirname(file))
}

/** Removes what is of no more use. Where it cannot be removed now, its owner removes or replaces it later. */
export function discard(file: string): void {
  try {
    rmSync(file, { recursive: true, force: true })
  } catch {
    // Nothing stands on it.
  }
}

/** Writes into a staging folder a file that can be committed. */
export function stageBytes(folder: string, name: string, data: Uint8Array): StagedFile {
  writeDurably(path.join(folder, name), data)
  return { name, digest: digestOfBytes(data), bytes: data.length }
}

/** A file in a staging folder that is written and hashed piece by piece. Call `close` when it is of no more use. */
export class StagedWriter {
  readonly #name: string
  readonly #file: string
  readonly #hash = createHasher()
  #descriptor: number | null
  #bytes = 0

  constructor(folder: string, name: string) {
    this.#name = name
    this.#file = path.join(folder, name)
    this.#descriptor = openSync(this.#file, 'wx', 0o600)
  }

  /** Written so far. */
  get bytes(): number {
    return this.#bytes
  }

  write(data: Uint8Array): void {
    atFile(this.#file, () => writeAll(this.#descriptor as number, data))
    this.#hash.update(data)
    this.#bytes += data.length
  }

  /** Syncs what was written, through the descriptor that wrote it. */
  finish(): StagedFile {
    atFile(this.#file, () => syncDescriptor(this.#descriptor as number))
    this.close()
    return { name: this.#name, digest: this.#hash.digest(), bytes: this.#bytes }
  }

  close(): void {
    if (this.#descriptor !== null) closeSync(this.#descriptor)
    this.#descriptor = null
  }
}

/**
 * Moves staged files to their content addresses and syncs the folders, so that their names survive a power cut. A file
 * takes the place of one that is there already: that one may be damaged, or a run that was killed has not synced it.
 */
export function placeObjects(layout: StoreLayout, staging: string, files: readonly StagedFile[]): void {
  const folders = new Set<string>()
  for (const file of files) {
    const from = path.join(staging, file.name)
    const to = objectPath(layout, file.digest)
    const folder = path.dirname(to)
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    chmodSync(from, 0o444)
    renameSync(from, to)
    folders.add(folder)
  }
  for (const folder of folders) syncFolder(folder)
  syncFolder(layout.objects)
}

/** Removes a folder that nothing is in any more, and those above it, up to `top`, which stays. */
export function removeEmpty(folder: string, top: string): void {
  if (folder === top || !existsSync(folder) || readdirSync(folder).length > 0) return
  rmdirSync(folder)
  removeEmpty(path.dirname(folder), top)
}
