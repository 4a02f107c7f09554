import { existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { fail, ok, type Result } from '../../core/result.ts'
import { discard } from './durable.ts'
import type { StoreLayout } from './layout.ts'
import { isLiving, type LockOwner, ownerText, readOwner, thisProcess, writeOwner } from './lock-owner.ts'

export interface Lock {
  release(): void
}

/** Somebody holds the store; `owner` when it has said who it is. */
export interface Held {
  readonly text: string
  readonly owner: LockOwner | null
}

/** A holder writes down who it is right after it took the store; it is given this long. */
const attempts = 50
const pauseMs = 20

/**
 * Takes the store for writing: an open `BEGIN EXCLUSIVE`, which the kernel lets go when its process ends, however
 * it ends. The file is never removed. `what` is `run …` or the command; the error says who holds it.
 * @throws Error when the store cannot be locked at all.
 */
export function takeLock(layout: StoreLayout, what: string, run: string | null = null): Result<Lock, Held> {
  const db = openLock(layout)
  for (let attempt = 1; !tryLock(db, layout); attempt++) {
    const owner = holderOf(layout)
    if (!owner && attempt < attempts) {
      pause(pauseMs)
      continue
    }
    db.close()
    return fail(held(owner))
  }
  writeOwner(layout, thisProcess(what, run, Date.now()))
  return ok({
    release() {
      discard(`${layout.lock}.owner`)
      db.exec('ROLLBACK')
      db.close()
    },
  })
}

/** Who holds the store; null when nobody does. Takes nothing. */
export function lockHolder(layout: StoreLayout): Held | null {
  if (!existsSync(layout.lock)) return null
  const db = new DatabaseSync(layout.lock, { timeout: 0, readOnly: true })
  try {
    db.exec('SELECT count(*) FROM sqlite_master')
    return null
  } catch {
    return held(holderOf(layout))
  } finally {
    db.close()
  }
}

function openLock(layout: StoreLayout): DatabaseSync {
  try {
    return new DatabaseSync(layout.lock, { timeout: 0 })
  } catch (error) {
    throw cannotLock(layout, error as Error)
  }
}

function tryLock(db: DatabaseSync, layout: StoreLayout): boolean {
  try {
    db.exec('BEGIN EXCLUSIVE')
    return true
  } catch (error) {
    const { errcode } = error as { errcode?: number }
    if (errcode !== undefined && (errcode & 0xff) === sqliteBusy) return false
    db.close()
    throw cannotLock(layout, error as Error)
  }
}

function cannotLock(layout: StoreLayout, cause: Error): Error {
  return new Error(`the store ${layout.root} cannot be locked (${layout.lock}): ${cause.message}`, { cause })
}

const sqliteBusy = 5

/** The holder as it wrote itself down; what a dead process wrote is of a former one. */
function holderOf(layout: StoreLayout): LockOwner | null {
  const owner = readOwner(layout)
  return owner && isLiving(owner) ? owner : null
}

function held(owner: LockOwner | null): Held {
  return { owner, text: owner ? ownerText(owner) : 'an engine that has not said who it is' }
}

function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}
