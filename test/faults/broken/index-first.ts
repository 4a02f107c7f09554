import path from 'node:path'
import type { Staged } from '../../../engine/store/files/commit.ts'
import { placeObjects } from '../../../engine/store/files/durable.ts'
import type { StoreLayout } from '../../../engine/store/files/layout.ts'
import { manifestFile, placeManifest } from '../../../engine/store/files/manifest-file.ts'

/** In place of engine/store/files/commit.ts: the index knows a batch before its files have their names. */
export function commitBatch(layout: StoreLayout, { manifest, folder, files }: Staged, enterInIndex: (name: string) => void): void {
  const file = manifestFile(manifest)
  enterInIndex(file.name)
  placeObjects(layout, folder, files)
  placeManifest(layout, file, path.join(folder, file.name))
}
