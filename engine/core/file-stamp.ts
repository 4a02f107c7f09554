import type { Digest } from './digest.ts'

/** What the file system says of a file; equal stamps mean equal bytes. */
export interface FileStamp {
  readonly size: number
  readonly mtimeNs: string
  readonly ctimeNs: string
  readonly inode: string
}

/** Remembers digests of files by stamp, so that a no-op hashes nothing. Kept by the store. */
export interface DigestMemory {
  recall(path: string, stamp: FileStamp): Digest | undefined
  remember(path: string, stamp: FileStamp, digest: Digest): void
}
