import { readFileSync, renameSync } from 'node:fs'
import path from 'node:path'
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { type Digest, digestOfBytes } from '../../core/digest.ts'
import { writeDurably } from './durable.ts'
import type { StoreLayout } from './layout.ts'
import type { Manifest } from './manifest.ts'
import { syncFolder } from './sync.ts'

/** A manifest as it lies in the store, under the digest of its bytes. */
export interface ManifestFile {
  readonly name: string
  readonly bytes: Uint8Array
}

/** Whether the file of a manifest is there and is what its name says. */
export type ManifestState = { readonly manifest: Manifest } | { readonly problem: string }

const packed = '.json.zst'
/** Of stores that were begun when manifests were not packed. */
const plain = '.json'

/** The digest in the name of a manifest, by which others name its batch. */
export function digestInName(manifest: string): Digest {
  return manifest.slice(0, manifest.indexOf('.'))
}

/** Cells of a batch have most of what is said of them in common: as JSON in Zstandard that takes a seventh of the room. */
export function manifestFile(manifest: Manifest): ManifestFile {
  const params = { [constants.ZSTD_c_compressionLevel]: 1 }
  const bytes = zstdCompressSync(JSON.stringify(manifest), { params })
  return { name: `${digestOfBytes(bytes)}${packed}`, bytes }
}

/** Writes a manifest under another name on the same disk, and gives it its own once it is there. */
export function placeManifest(layout: StoreLayout, { name, bytes }: ManifestFile, temporary: string): void {
  writeDurably(temporary, bytes)
  renameSync(temporary, path.join(layout.manifests, name))
  syncFolder(layout.manifests)
}

export function readManifest(layout: StoreLayout, name: string): ManifestState {
  try {
    const manifest = openManifest(layout, name)
    return manifest ? { manifest } : { problem: 'does not match its digest' }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return { problem: code === 'ENOENT' ? 'is gone' : `cannot be read: ${code}` }
  }
}

/** Null where the bytes are not those that the name tells. @throws the system's error where they cannot be read. */
export function openManifest(layout: StoreLayout, name: string): Manifest | null {
  const bytes = readFileSync(path.join(layout.manifests, name))
  const digest = digestOfBytes(bytes)
  const text = name === `${digest}${packed}` ? zstdDecompressSync(bytes) : name === `${digest}${plain}` ? bytes : null
  return text && (JSON.parse(text.toString('utf8')) as Manifest)
}
