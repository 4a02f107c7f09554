import { createRequire } from 'node:module'
import { canonicalJson, type Json } from './json.ts'

/** BLAKE3-256 as 64 hex digits. */
export type Digest = string

interface Hasher {
  update(data: Uint8Array | string): unknown
  digest(encoding: 'hex'): string
}

interface Blake3 {
  createHash(): Hasher
  hash(data: Uint8Array | string): { toString(encoding: 'hex'): string }
}

let library: Blake3 | undefined

/** The only place that imports blake3. Loaded on first use: a no-op run may hash nothing. */
function blake3(): Blake3 {
  if (library) return library
  const require = createRequire(import.meta.url)
  try {
    library = require('blake3') as Blake3
    library.createHash()
  } catch (cause) {
    throw new Error('BLAKE3 cannot be loaded. Install again with scripts allowed: npm ci --foreground-scripts', { cause })
  }
  return library
}

export function createHasher(): Hasher {
  return blake3().createHash()
}

export function digestOfBytes(data: Uint8Array | string): Digest {
  return blake3().hash(data).toString('hex')
}

export function digestOfJson(value: Json): Digest {
  return digestOfBytes(canonicalJson(value))
}
