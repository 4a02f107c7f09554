import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { createHasher, type Digest } from '../../core/digest.ts'

/** Digests files from the disk itself. */
export interface DiskReader {
  digest(file: string): Promise<Digest>
  /** Whether a file had to be read through the page cache, because its file system allows nothing else. */
  readonly throughCache: boolean
}

const chunkBytes = 1 << 20
const pageBytes = 1 << 16

/** Node has it; its types do not. */
const { Memory } = (globalThis as unknown as { WebAssembly: { Memory: new (size: { initial: number }) => { buffer: ArrayBuffer } } })
  .WebAssembly

/**
 * Reads past the page cache (O_DIRECT), which would show what was written and not what the disk kept. Such reads
 * need aligned memory; that of a WebAssembly memory is. One file at a time: the next chunk is read while one is hashed.
 */
export function createDiskReader(): DiskReader {
  const memory = new Uint8Array(new Memory({ initial: (2 * chunkBytes) / pageBytes }).buffer)
  const chunks = [memory.subarray(0, chunkBytes), memory.subarray(chunkBytes)] as const
  let throughCache = false

  const digestWith = async (file: string, flags: number): Promise<Digest> => {
    const handle = await open(file, flags)
    try {
      return await digestOf(handle, chunks)
    } finally {
      await handle.close()
    }
  }
  return {
    get throughCache() {
      return throughCache
    },
    async digest(file) {
      try {
        return await digestWith(file, constants.O_RDONLY | constants.O_DIRECT)
      } catch (error) {
        if (!isRefused(error)) throw error
        throughCache = true
        return digestWith(file, constants.O_RDONLY)
      }
    },
  }
}

async function digestOf(handle: FileHandle, [first, second]: readonly [Uint8Array, Uint8Array]): Promise<Digest> {
  const hasher = createHasher()
  let [current, other] = [first, second]
  let at = 0
  let pending = handle.read(current, 0, chunkBytes, at)
  for (;;) {
    const { bytesRead } = await pending
    if (bytesRead === 0) return hasher.digest()
    at += bytesRead
    const last = bytesRead < chunkBytes
    if (!last) pending = handle.read(other, 0, chunkBytes, at)
    hasher.update(current.subarray(0, bytesRead))
    if (last) return hasher.digest()
    ;[current, other] = [other, current]
  }
}

/** How a file system says that it knows no direct reads. */
function isRefused(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'EINVAL' || code === 'EOPNOTSUPP'
}
