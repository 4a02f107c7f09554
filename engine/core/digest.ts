import { createRequire } from 'node:module'
import { createBLAKE3 } from 'hash-wasm'
import { canonicalJson, type Json } from './json.ts'

/** BLAKE3-256 as 64 hex digits. */
export type Digest = string

export interface Hasher {
  update(data: Uint8Array | string): unknown
  /** Ends the hasher. */
  digest(): Digest
}

interface LibraryHasher {
  update(data: Uint8Array | string): unknown
  digest(encoding: 'hex'): string
  dispose?(): void
}

interface Library {
  createHash(): LibraryHasher
  /** The WebAssembly build must be loaded before use. */
  load?(): Promise<void>
}

/** The WebAssembly build aborts on one large update. */
const largestUpdate = 1 << 20

/**
 * Loads BLAKE3: native where it was compiled, else WebAssembly; both give the same digests. Hashers of the latter
 * hold memory until they are disposed of.
 * @throws Error that says what to do when neither can be loaded.
 */
export async function loadBlake3(name: string): Promise<() => Hasher> {
  const library = await loadLibrary(name)
  return () => {
    const hash = library.createHash()
    return {
      update(data) {
        const bytes = typeof data === 'string' ? Buffer.from(data) : data
        for (let at = 0; at < bytes.length; at += largestUpdate) hash.update(bytes.subarray(at, at + largestUpdate))
      },
      digest() {
        const digest = hash.digest('hex')
        hash.dispose?.()
        return digest
      },
    }
  }
}

async function loadLibrary(name: string): Promise<Library> {
  try {
    const library = createRequire(import.meta.url)(name) as Library
    try {
      library.createHash().digest('hex')
    } catch {
      await library.load?.()
      library.createHash().digest('hex')
    }
    return library
  } catch (cause) {
    throw new Error('BLAKE3 cannot be loaded: install again with scripts allowed (npm ci)', { cause })
  }
}

export const createHasher = await loadBlake3('blake3')

/** Keys are short texts, many of them: one hasher that begins anew for each costs a quarter of a native one made for each. */
const short = await createBLAKE3()
const longestShort = 4096

export function digestOfBytes(data: Uint8Array | string): Digest {
  if (data.length <= longestShort) return short.init().update(data).digest('hex')
  const hasher = createHasher()
  hasher.update(data)
  return hasher.digest()
}

export function digestOfJson(value: Json): Digest {
  return digestOfBytes(canonicalJson(value))
}
