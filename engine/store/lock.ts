import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { fail, ok, type Result } from '../core/result.ts'
import type { StoreLayout } from './layout.ts'

export interface Lock {
  release(): void
}

/**
 * Takes the store for writing: an open `BEGIN EXCLUSIVE`, which the kernel lets go when its process ends, however
 * it ends. The file is never removed. The error says who holds it: `run …` or the command.
 */
export function takeLock(layout: StoreLayout, holder: string): Result<Lock, string> {
  const db = new DatabaseSync(layout.lock, { timeout: 0 })
  const ownerFile = `${layout.lock}.owner`
  try {
    db.exec('BEGIN EXCLUSIVE')
  } catch {
    db.close()
    return fail(owner(ownerFile))
  }
  writeFileSync(ownerFile, `${holder}, process ${process.pid}`)
  return ok({
    release() {
      db.exec('ROLLBACK')
      db.close()
    },
  })
}

/** Who holds the store; null when nobody does. Takes nothing. */
export function lockHolder(layout: StoreLayout): string | null {
  if (!existsSync(layout.lock)) return null
  const db = new DatabaseSync(layout.lock, { timeout: 0, readOnly: true })
  try {
    db.exec('SELECT count(*) FROM sqlite_master')
    return null
  } catch {
    return owner(`${layout.lock}.owner`)
  } finally {
    db.close()
  }
}

function owner(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return 'another engine'
  }
}
