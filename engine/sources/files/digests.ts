import { createReadStream, readFileSync, statSync } from 'node:fs'
import { createHasher, type Digest, digestOfBytes } from '../../core/digest.ts'
import { type DigestMemory, type FileStamp, isSettled } from '../../core/file-stamp.ts'

/**
 * Digest of a file's bytes, from memory when its stamp is unchanged.
 * @throws NodeJS.ErrnoException when the file cannot be read; the same when it is not a regular file.
 */
export async function digestOfFile(path: string, memory: DigestMemory): Promise<Digest> {
  const stamp = stampOf(path)
  const known = memory.recall(path, stamp)
  if (known) return known
  const digest = stamp.size <= 1_000_000 ? digestOfBytes(readFileSync(path)) : await streamDigest(path)
  if (isSettled(BigInt(stamp.ctimeNs), Date.now())) memory.remember(path, stamp, digest)
  return digest
}

export function stampOf(path: string): FileStamp {
  const stat = statSync(path, { bigint: true })
  if (!stat.isFile()) throw Object.assign(new Error(`${path} is not a regular file`), { code: 'EISDIR' })
  return { size: Number(stat.size), mtimeNs: String(stat.mtimeNs), ctimeNs: String(stat.ctimeNs), inode: String(stat.ino) }
}

async function streamDigest(path: string): Promise<Digest> {
  const hasher = createHasher()
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hasher.update(chunk as Buffer)
  return hasher.digest()
}
