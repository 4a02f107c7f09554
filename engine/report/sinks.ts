import type { RunEvent } from '../core/events.ts'
import { plainLines } from './plain.ts'
import { RunView } from './run-view.ts'

/** Shows or records a run. Sinks know nothing but its events. */
export interface Sink {
  event(event: RunEvent): void
  close(): Promise<void>
}

export function plainSink(write: (text: string) => void, view = new RunView()): Sink {
  return {
    event(event) {
      view.apply(event)
      for (const line of plainLines(view, event)) write(`${line}\n`)
    },
    async close() {},
  }
}

/** One event a line. */
export function jsonSink(write: (text: string) => void): Sink {
  return {
    event: (event) => write(`${JSON.stringify(event)}\n`),
    async close() {},
  }
}
