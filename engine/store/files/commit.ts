import path from 'node:path'
import { placeObjects, type StagedFile } from './durable.ts'
import type { StoreLayout } from './layout.ts'
import type { Manifest } from './manifest.ts'
import { manifestFile, placeManifest } from './manifest-file.ts'

/** A batch to commit: its staged files, and the staging folder that they lie in. */
export interface Staged {
  readonly manifest: Manifest
  readonly folder: string
  readonly files: readonly StagedFile[]
}

/**
 * Commits a batch: objects, then the manifest, then the index, each on disk before the next begins. So whatever the
 * index knows is there, and a kill or a power cut at any moment loses this batch at most.
 */
export function commitBatch(layout: StoreLayout, { manifest, folder, files }: Staged, enterInIndex: (name: string) => void): void {
  placeObjects(layout, folder, files)
  const file = manifestFile(manifest)
  placeManifest(layout, file, path.join(folder, file.name))
  enterInIndex(file.name)
}
