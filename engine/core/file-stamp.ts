import type { Digest } from './digest.ts'

/** What the file system says of a file; equal stamps mean equal bytes. */
export interface FileStamp {
  readonly size: number
  readonly mtimeNs: string
  readonly ctimeNs: string
  readonly inode: string
}

/** Time stamps tick coarsely; what changed this recently could change again under the same stamp. */
const settledMs = 50

/** What a look at a path finds, of a file or a folder, as the file system tells it. */
interface Seen {
  readonly size: bigint
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
  readonly ino: bigint
}

/** Tells a look at a path from one at another state of it, `undefined` where nothing is. */
export function lookText(seen: Seen | undefined): string {
  return seen ? `${seen.size} ${seen.mtimeNs} ${seen.ctimeNs} ${seen.ino}` : 'absent'
}

/** Whether what was last changed at `ctimeNs` will have another stamp when it changes again. */
export function isSettled(ctimeNs: bigint, now: number): boolean {
  return settlesIn(ctimeNs, now) <= 0
}

/** In how many milliseconds it will be so; 0 or less: it is. */
export function settlesIn(ctimeNs: bigint, now: number): number {
  return Number(ctimeNs / 1_000_000n) + settledMs + 1 - now
}

/** How something was found when it was looked at. */
export interface Look {
  /** Null where it had changed so recently that a further change might not show. */
  readonly stamp: string | null
  /** Of a text or the names in a folder, what tells it from another one, where it was read: the same may have a new stamp. */
  readonly content?: string
}

/** Larger texts are told by their stamps alone: to read one again takes longer than an answer at once may. */
export const mostRead = 1_000_000

/** Tells a text, or the names in a folder, from another one. Loads what it hashes with when it is first asked: a no-op is not. */
export function contentOf(read: Uint8Array | readonly string[]): string {
  const { hash } = process.getBuiltinModule('node:crypto')
  return hash('sha256', read instanceof Uint8Array ? read : JSON.stringify(read), 'base64url').slice(0, 22)
}

/** Remembers digests of files by stamp, so that a no-op hashes nothing. Kept by the store. */
export interface DigestMemory {
  recall(path: string, stamp: FileStamp): Digest | undefined
  remember(path: string, stamp: FileStamp, digest: Digest): void
}
