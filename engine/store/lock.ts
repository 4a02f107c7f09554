import { readFileSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { fail, ok, type Result } from '../core/result.ts'
import type { StoreLayout } from './layout.ts'

export interface Lock {
  release(): void
}

/**
 * Takes the store for writing: an open `BEGIN EXCLUSIVE`, which the kernel lets go when its process ends, however
 * it ends. The file is never removed. The error says who holds it.
 */
export function takeLock(layout: StoreLayout, run: string): Result<Lock, string> {
  const db = new DatabaseSync(layout.lock, { timeout: 0 })
  const ownerFile = `${layout.lock}.owner`
  try {
    db.exec('BEGIN EXCLUSIVE')
  } catch {
    db.close()
    return fail(owner(ownerFile))
  }
  writeFileSync(ownerFile, `run ${run}, process ${process.pid}`)
  return ok({
    release() {
      db.exec('ROLLBACK')
      db.close()
    },
  })
}

function owner(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return 'another engine'
  }
}
