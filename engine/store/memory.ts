import type { DigestMemory, FileStamp } from '../core/file-stamp.ts'
import type { Store } from './store.ts'

/** Digests of source files, remembered in the index by stamp. Where the index fails, the file is hashed. */
export function digestMemory(store: Store): DigestMemory {
  const recall = store.db.prepare('SELECT size, mtime, ctime, inode, digest FROM files WHERE path = ?')
  const remember = store.db.prepare('INSERT OR REPLACE INTO files (path, size, mtime, ctime, inode, digest) VALUES (?, ?, ?, ?, ?, ?)')
  return {
    recall(path, stamp) {
      const row = orForget(() => recall.get(path)) as
        | { size: number; mtime: string; ctime: string; inode: string; digest: string }
        | undefined
      const same = row && row.size === stamp.size && row.mtime === stamp.mtimeNs && row.ctime === stamp.ctimeNs && row.inode === stamp.inode
      return same ? row.digest : undefined
    },
    remember(path, stamp: FileStamp, digest) {
      orForget(() => remember.run(path, stamp.size, stamp.mtimeNs, stamp.ctimeNs, stamp.inode, digest))
    },
  }
}

function orForget<Value>(work: () => Value): Value | undefined {
  try {
    return work()
  } catch {
    return undefined
  }
}
