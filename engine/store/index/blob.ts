import type { Digest } from '../../core/digest.ts'

/** A digest as the index holds it. */
export function toBlob(digest: Digest): Uint8Array {
  return Buffer.from(digest, 'hex')
}

export function toHex(blob: Uint8Array): Digest {
  return Buffer.from(blob.buffer, blob.byteOffset, blob.byteLength).toString('hex')
}
