import { PassThrough, Writable } from 'node:stream'
import headless from '@xterm/headless'
import type { RunEvent } from '../../engine/core/events.ts'
import type { Sink } from '../../engine/report/sinks.ts'
import type { RunView } from '../../engine/report/view.ts'
import { startTui } from '../../engine/tui/index.tsx'

/** Keys as a terminal sends them. Escape comes in its unambiguous form, which needs no waiting. */
export const keys = {
  up: '\u001b[A',
  down: '\u001b[B',
  right: '\u001b[C',
  left: '\u001b[D',
  pageUp: '\u001b[5~',
  pageDown: '\u001b[6~',
  home: '\u001b[H',
  end: '\u001b[F',
  enter: '\r',
  escape: '\u001b[27u',
  backspace: '\u007f',
  ctrlC: '\u0003',
} as const

/** The TUI on a terminal in memory. */
export function openScreen(columns: number, rows: number) {
  const terminal = new headless.Terminal({ cols: columns, rows, allowProposedApi: true, convertEol: true, scrollback: 100 })
  const written: string[] = []
  const stdout = Object.assign(
    new Writable({
      decodeStrings: false,
      write(chunk, _encoding, done) {
        written.push(String(chunk))
        terminal.write(chunk, done)
      },
    }),
    { columns, rows, isTTY: true },
  )
  const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => stdin, ref: () => stdin, unref: () => stdin })
  const stops: string[] = []
  const detached: { seen: RunView | null; events: RunEvent[] } = { seen: null, events: [] }
  let now = 0
  let broken = false
  const tui = startTui({
    stdout: stdout as unknown as NodeJS.WriteStream,
    stdin: stdin as unknown as NodeJS.ReadStream,
    now() {
      if (broken) throw new Error('the clock is broken')
      return now
    },
    onStop: (how) => stops.push(how),
    detached(seen): Sink {
      detached.seen = seen
      return { event: (event) => detached.events.push(event), close: async () => {} }
    },
  })

  const lines = (): string[] => {
    const { active } = terminal.buffer
    return Array.from({ length: terminal.rows }, (_, row) => active.getLine(active.baseY + row)?.translateToString(true) ?? '')
  }
  return {
    stops,
    detached,
    written,
    lines,
    text: () => lines().join('\n'),
    alternate: () => terminal.buffer.active.type === 'alternate',
    cursorHidden: () => written.lastIndexOf('\u001b[?25l') > written.lastIndexOf('\u001b[?25h'),
    async show(events: readonly RunEvent[]) {
      for (const event of events) {
        now = event.at
        tui.event(event)
      }
      await tui.flush()
      return lines()
    },
    async press(...pressed: readonly string[]) {
      for (const key of pressed) {
        stdin.write(key)
        await new Promise(setImmediate)
      }
      await tui.flush()
      return lines()
    },
    async resize(newColumns: number, newRows: number) {
      terminal.resize(newColumns, newRows)
      Object.assign(stdout, { columns: newColumns, rows: newRows })
      stdout.emit('resize')
      await tui.flush()
      return lines()
    },
    event: (event: RunEvent) => tui.event(event),
    breakClock() {
      broken = true
    },
    close: () => tui.close(),
  }
}
