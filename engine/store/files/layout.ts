import { mkdirSync } from 'node:fs'
import path from 'node:path'
import type { Digest } from '../../core/digest.ts'
import { syncFolder } from './sync.ts'

/** Where things lie in a store folder. */
export interface StoreLayout {
  readonly root: string
  readonly objects: string
  readonly manifests: string
  readonly staging: string
  readonly quarantine: string
  /** Marks of objects that were given up on purpose; made with the first of them. */
  readonly evicted: string
  readonly runs: string
  readonly index: string
  readonly lock: string
}

export function storeLayout(root: string): StoreLayout {
  const at = (name: string) => path.join(root, name)
  return {
    root,
    objects: at('objects'),
    manifests: at('manifests'),
    staging: at('staging'),
    quarantine: at('quarantine'),
    evicted: at('evicted'),
    runs: at('runs'),
    index: at('index.db'),
    lock: at('lock.db'),
  }
}

/** Store folders are for their owner only. Their names survive a power cut from the start. */
export function makeFolders(layout: StoreLayout): void {
  const isNew = mkdirSync(layout.root, { recursive: true }) !== undefined
  const folders = [layout.objects, layout.manifests, layout.staging, layout.quarantine, layout.runs]
  const made = folders.filter((folder) => mkdirSync(folder, { recursive: true, mode: 0o700 }) !== undefined)
  if (made.length > 0) syncFolder(layout.root)
  if (isNew) syncFolder(path.dirname(layout.root))
}

export function objectPath(layout: StoreLayout, digest: Digest): string {
  return path.join(layout.objects, digest.slice(0, 2), digest)
}

/** A file outside the store as the index names it: from the store's own folder, so that both can move together. */
export function indexName({ root }: StoreLayout, file: string): string {
  return path.relative(root, file)
}

/** The file that the index names so. */
export function fileOfName({ root }: StoreLayout, name: string): string {
  return path.resolve(root, name)
}
