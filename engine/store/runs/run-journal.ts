import { closeSync, existsSync, fstatSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs'
import path from 'node:path'
import type { RunEvent, RunStarted } from '../../core/events.ts'
import { parseOrNull } from '../../core/json.ts'
import type { StoreLayout } from '../files/layout.ts'

export function journalFile(runsFolder: string, run: string): string {
  return path.join(runsFolder, run, 'journal.ndjson')
}

/** Runs that wrote a journal, the latest first. One that found nothing to do wrote none. */
export function journalledRuns({ runs }: StoreLayout): string[] {
  const names = readdirSync(runs).filter((name) => existsSync(journalFile(runs, name)))
  return names.sort().reverse()
}

/** How a run began and what it wrote last. */
export interface RunEnds {
  readonly first: RunStarted & { readonly at: number }
  readonly last: RunEvent
}

/** Reads both ends of a journal and not what lies between; null when it holds no whole line. */
export function readRunEnds({ runs }: StoreLayout, run: string): RunEnds | null {
  const file = openSync(journalFile(runs, run), 'r')
  try {
    const first = eventOf(firstLine(file))
    return first?.type === 'run-started' ? { first, last: lastEvent(file) ?? first } : null
  } finally {
    closeSync(file)
  }
}

/** Every event of a run; a line that was cut off is left out. */
export function readEvents({ runs }: StoreLayout, run: string): RunEvent[] {
  return readFileSync(journalFile(runs, run), 'utf8')
    .split('\n')
    .flatMap((line) => eventOf(line) ?? [])
}

const chunkBytes = 1 << 16

function firstLine(file: number): string {
  for (let bytes = chunkBytes; ; bytes *= 4) {
    const text = textAt(file, 0, bytes)
    const end = text.indexOf('\n')
    if (end >= 0) return text.slice(0, end)
    if (Buffer.byteLength(text) < bytes) return text
  }
}

function lastEvent(file: number): RunEvent | null {
  const { size } = fstatSync(file)
  for (let bytes = chunkBytes; ; bytes *= 4) {
    const start = Math.max(0, size - bytes)
    const lines = textAt(file, start, size - start).split('\n')
    for (const line of lines.slice(start > 0 ? 1 : 0).toReversed()) {
      const event = eventOf(line)
      if (event) return event
    }
    if (start === 0) return null
  }
}

function textAt(file: number, from: number, length: number): string {
  const bytes = Buffer.alloc(length)
  return bytes.subarray(0, readSync(file, bytes, 0, length, from)).toString('utf8')
}

function eventOf(line: string): RunEvent | null {
  return parseOrNull(line) as unknown as RunEvent | null
}
