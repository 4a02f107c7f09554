import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { replaceDurably } from '../files/durable.ts'
import type { StoreLayout } from '../files/layout.ts'

/** Something from outside that a run's cells were computed from: which tasks read it, and as which part of their keys. */
export interface SourceRecord {
  readonly kind: 'adapter' | 'model' | 'prompt-set' | 'trait' | 'file'
  readonly name: string
  /** Its file or folder, relative to the store; null when it is not on this machine. */
  readonly file: string | null
  /** Dotted name of the part of the key that tells its revisions apart; null when each cell has its own. */
  readonly component: string | null
  readonly revision: string | null
  readonly tasks: readonly string[]
}

const fileName = 'sources.json'

/** Keeps the sources of a run in its folder, unless the run before it had the very same. */
export function writeRunSources(layout: StoreLayout, run: string, sources: readonly SourceRecord[]): void {
  const text = JSON.stringify(sources)
  const [last] = readdirSync(layout.runs)
    .sort()
    .reverse()
    .flatMap((earlier) => textOf(layout, earlier) ?? [])
  if (last === text) return
  replaceDurably(path.join(layout.runs, run, fileName), text)
}

/** Every record of the store's runs that can be read, the latest first. */
export function readRunSources(layout: StoreLayout): SourceRecord[] {
  return readdirSync(layout.runs)
    .sort()
    .reverse()
    .flatMap((run) => recordsIn(textOf(layout, run)))
}

function recordsIn(text: string | null): SourceRecord[] {
  try {
    const records = JSON.parse(text ?? '[]') as unknown
    return Array.isArray(records) ? (records as SourceRecord[]) : []
  } catch {
    return []
  }
}

function textOf(layout: StoreLayout, run: string): string | null {
  try {
    return readFileSync(path.join(layout.runs, run, fileName), 'utf8')
  } catch {
    return null
  }
}
