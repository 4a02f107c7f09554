import { existsSync, readdirSync } from 'node:fs'
import path from 'node:path'
import type { Digest } from '../../core/digest.ts'
import { objectPath, type StoreLayout } from '../files/layout.ts'

/** What became of an object that cannot be used: `evicted` when it was given up after use. */
export interface ObjectDamage {
  readonly object: Digest
  readonly state: 'gone' | 'damaged' | 'evicted'
  /** When it was taken out of use, in milliseconds since 1970; null when it was simply not there. */
  readonly noticed: number | null
  /** Where its bytes are kept, relative to the store. */
  readonly quarantine: string | null
}

/** What is known of an object that is lost: its latest copy in quarantine, or that there is none. */
export function objectDamage(layout: StoreLayout, object: Digest): ObjectDamage {
  const kept = readdirSync(layout.quarantine)
    .filter((name) => name.startsWith(`${object}.`))
    .sort()
    .at(-1)
  if (kept === undefined) {
    const evicted = existsSync(path.join(layout.evicted, object))
    const state = existsSync(objectPath(layout, object)) ? 'damaged' : evicted ? 'evicted' : 'gone'
    return { object, state, noticed: null, quarantine: null }
  }
  return { object, state: 'damaged', noticed: Number(kept.slice(object.length + 1)), quarantine: path.join('quarantine', kept) }
}
