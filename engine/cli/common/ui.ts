import type { RunEvent } from '../../core/events.ts'
import { jsonSink, plainSink, type Sink } from '../../report/sinks.ts'
import type { Stop } from './stop.ts'

export type Ui = 'auto' | 'tui' | 'plain' | 'json'

/** How a run is shown: `auto` is the TUI on a terminal, plain lines elsewhere. */
export function runSink(process: NodeJS.Process, ui: Ui, stop: Stop): Sink {
  return new LazySink(() => openSink(chosen(process, ui), process, stop))
}

function chosen(process: NodeJS.Process, ui: Ui): Exclude<Ui, 'auto'> {
  if (ui !== 'auto') return ui
  return process.stdout.isTTY && process.stdin.isTTY && !process.env.CI ? 'tui' : 'plain'
}

async function openSink(ui: Exclude<Ui, 'auto'>, process: NodeJS.Process, stop: Stop): Promise<Sink> {
  const write = (text: string) => process.stdout.write(text)
  if (ui === 'json') return jsonSink(write)
  if (ui === 'plain') return plainSink(write)
  const { startTui } = await import('../../tui/index.tsx')
  // A terminal that is closed fails here too; the signal of its closing says so.
  process.stdin.on('error', () => {})
  return startTui({
    stdout: process.stdout,
    stdin: process.stdin,
    now: Date.now,
    onStop: () => stop.request(),
    detached: (seen) => plainSink(write, seen),
  })
}

/** Opens the sink when there is something to show: a run with nothing to do loads no TUI. */
class LazySink implements Sink {
  readonly #open: () => Promise<Sink>
  #sink: Promise<Sink> | null = null
  #waiting: RunEvent[] | null = []

  constructor(open: () => Promise<Sink>) {
    this.#open = open
  }

  event(event: RunEvent): void {
    this.#waiting?.push(event)
    if (!this.#waiting) void this.#sink?.then((sink) => sink.event(event))
    else if (
      event.type === 'run-finished' ||
      (event.type !== 'run-started' && event.type !== 'task-settled' && event.type !== 'task-finished')
    )
      this.#begin()
  }

  async close(): Promise<void> {
    const sink = await this.#sink
    this.#sink = null
    await sink?.close()
  }

  #begin(): void {
    const waiting = this.#waiting ?? []
    this.#waiting = null
    this.#sink = this.#open().then((sink) => {
      for (const event of waiting) sink.event(event)
      return sink
    })
  }
}
