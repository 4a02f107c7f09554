import { closeSync, mkdirSync, openSync, readdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import type { Digest } from '../../core/digest.ts'
import type { StoreLayout } from './layout.ts'
import { syncFolder } from './sync.ts'

/**
 * Objects that were given up on purpose, each an empty file of its name, so that they are told from lost ones also
 * without an index. An object whose bytes are there again is simply there: its mark does not count.
 */
export interface Evicted {
  has(object: Digest): boolean
  /** The mark is on disk when this returns. */
  mark(objects: readonly Digest[]): void
  readonly all: ReadonlySet<Digest>
}

export function evictedObjects(layout: StoreLayout): Evicted {
  let known: Set<Digest> | undefined
  const all = (): Set<Digest> => (known ??= new Set(namesIn(layout.evicted)))
  return {
    get all() {
      return all()
    },
    has: (object) => all().has(object),
    mark(objects) {
      mkdirSync(layout.evicted, { recursive: true, mode: 0o700 })
      for (const object of objects) closeSync(openSync(path.join(layout.evicted, object), 'w', 0o600))
      syncFolder(layout.evicted)
      syncFolder(layout.root)
      for (const object of objects) all().add(object)
    },
  }
}

/** Takes off marks that no batch needs any more. */
export function forgetEvicted(layout: StoreLayout, objects: Iterable<Digest>): void {
  for (const object of objects) rmSync(path.join(layout.evicted, object), { force: true })
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
