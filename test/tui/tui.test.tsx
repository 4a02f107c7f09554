import { PassThrough } from 'node:stream'
import xterm from '@xterm/headless'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { RunEvent, TaskInfo } from '../../engine/core/events.ts'
import type { Sink } from '../../engine/report/sinks.ts'
import { startTui } from '../../engine/tui/index.tsx'

interface Screen {
  readonly sink: Sink
  readonly stops: string[]
  readonly plain: RunEvent[]
  press(keys: string): void
  /** Waits until the screen holds a text, then answers its lines without trailing blanks. */
  showing(text: string): Promise<string[]>
  lines(): string[]
}

/** The TUI on a terminal of this size, at a standing clock. */
function open(columns: number, rows: number): Screen {
  const terminal = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true })
  const stdout = Object.assign(new PassThrough(), { columns, rows, isTTY: true })
  stdout.on('data', (chunk: Buffer) => terminal.write(chunk.toString('utf8').replaceAll(/(?<!\r)\n/g, '\r\n')))
  const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => stdin, ref: () => stdin, unref: () => stdin })
  const stops: string[] = []
  const plain: RunEvent[] = []
  const sink = startTui({
    stdout: stdout as unknown as NodeJS.WriteStream,
    stdin: stdin as unknown as NodeJS.ReadStream,
    now: () => 65_000,
    onStop: () => stops.push('stop'),
    detached: () => ({ event: (event) => plain.push(event), close: async () => {} }),
  })
  onTestFinished(() => sink.close())
  const lines = () => {
    const { active } = terminal.buffer
    return Array.from({ length: rows }, (_, row) => active.getLine(active.viewportY + row)?.translateToString(true) ?? '')
  }
  return {
    sink,
    stops,
    plain,
    press: (keys) => stdin.write(keys),
    lines,
    async showing(text) {
      await vi.waitFor(() => expect(lines().join('\n')).toContain(text), { timeout: 5_000, interval: 10 })
      return lines()
    },
  }
}

const organisms = ['alpha', 'sd_rt_sft_contextual_optimism_of_long_name', 'gamma']
const stages = ['answers', 'clean', 'scores']
const tasks: TaskInfo[] = organisms.flatMap((row) => stages.map((stage) => ({ id: `${stage}/${row}`, row, stage, cells: 10, toRun: 10 })))

function started(list: readonly TaskInfo[]): RunEvent {
  const cells = list.reduce((sum, task) => sum + task.cells, 0)
  const totals = {
    tasks: { total: list.length, run: list.length, reuse: 0 },
    cells: { total: cells, run: cells, reuse: 0 },
    modelLoads: 1,
    adapterSwitches: 3,
  }
  return {
    at: 0,
    type: 'run-started',
    run: '20260101-220000-abcd',
    workflow: 'audit',
    experiment: 'audit',
    tasks: list,
    expected: { ...totals, seconds: 100, bytes: 2_000_000 },
  }
}

const midway: RunEvent[] = [
  started(tasks),
  { at: 1_000, type: 'state-changed', change: 'base-loaded', name: 'tiny', seconds: 1 },
  { at: 2_000, type: 'state-changed', change: 'adapter-on', name: 'alpha', seconds: 0.1 },
  { at: 2_000, type: 'task-started', task: 'answers/alpha', reason: 'not made yet' },
  { at: 30_000, type: 'batch-finished', task: 'answers/alpha', batch: 1, batches: 1, cells: 10, tokens: 400, bytes: 500_000, seconds: 20 },
  { at: 30_000, type: 'task-finished', task: 'answers/alpha', ran: 10, reused: 0 },
  { at: 31_000, type: 'task-started', task: 'clean/alpha', reason: 'not made yet' },
  { at: 40_000, type: 'batch-finished', task: 'clean/alpha', batch: 1, batches: 2, cells: 5, tokens: 0, bytes: 500_000, seconds: 9 },
  { at: 50_000, type: 'task-progress', task: 'clean/alpha', done: 3, total: 5, tokens: 700 },
]

test('a run in the middle is seen at a glance on a small terminal', async () => {
  const screen = open(80, 24)
  for (const event of midway) screen.sink.event(event)
  const lines = await screen.showing('3/5')
  expect(lines.slice(0, 8)).toEqual([
    ' audit · run abcd                01:05   ~4 m 10 s left   disk 1.0 MB of 2.0 MB',
    ' tiny · adapter alpha on   15 of 90 cells made · loads 1 of 1 · switches 1 of 3',
    ' clean/alpha · batch 2 of 2 · 3/5 · 700 tokens',
    '                                answers         clean           scores',
    ' › alpha                        ✓ done 10       5/10 ▓▓▓▓▓░░░░  waits',
    '   sd_rt_sft_cont…_of_long_name waits           waits           waits',
    '   gamma                        waits           waits           waits',
    '',
  ])
  expect(lines[23]).toBe(' ↑↓ move   enter log   / filter   f failed   q detach   ctrl-c stop   ? help')
})

test('the filter narrows the rows as it is typed, and escape clears it', async () => {
  const screen = open(100, 24)
  for (const event of midway) screen.sink.event(event)
  await screen.showing('gamma')
  screen.press('/')
  await screen.showing('filter:')
  screen.press('gam')
  const narrowed = await screen.showing('filter: gam')
  expect(narrowed.filter((line) => line.includes('waits'))).toHaveLength(1)
  screen.press('\r')
  await screen.showing('filter "gam"')
  screen.press('\u001b')
  await screen.showing('alpha   ')
})

test('f shows only the rows in which something failed, and enter shows why', async () => {
  const screen = open(100, 24)
  for (const event of midway) screen.sink.event(event)
  screen.sink.event({ at: 60_000, type: 'task-failed', task: 'clean/alpha', message: 'out of \u001b[2J memory', log: null })
  await screen.showing('✗ failed')
  screen.press('f')
  const failed = await screen.showing('failed only')
  expect(failed.join('\n')).not.toContain('gamma')
  screen.press('\r')
  await screen.showing('clean/alpha failed: out of \\u{1b}[2J memory')
  screen.press('\u001b')
  await screen.showing('answers ')
})

test('moving takes the mark off the running row', async () => {
  const screen = open(100, 24)
  for (const event of midway) screen.sink.event(event)
  await screen.showing('› alpha')
  screen.press('\u001b[B')
  await screen.showing('› sd_rt')
  screen.press('\u001b[B')
  await screen.showing('› gamma')
})

test('ctrl-c asks to stop, once for each time it is pressed', async () => {
  const screen = open(100, 24)
  for (const event of midway) screen.sink.event(event)
  await screen.showing('alpha')
  screen.press('\u0003')
  await vi.waitFor(() => expect(screen.stops).toHaveLength(1))
  screen.sink.event({ at: 60_000, type: 'stop-requested', how: 'drain' })
  await screen.showing('ctrl-c again ends now')
  screen.press('\u0003')
  await vi.waitFor(() => expect(screen.stops).toHaveLength(2))
})

test('q leaves the screen and the run goes on with plain lines', async () => {
  const screen = open(100, 24)
  for (const event of midway) screen.sink.event(event)
  await screen.showing('alpha')
  screen.press('q')
  await vi.waitFor(() => {
    screen.sink.event({ at: 60_000, type: 'setup', text: 'later' })
    expect(screen.plain.at(-1)).toEqual({ at: 60_000, type: 'setup', text: 'later' })
  })
})

test('? explains every key', async () => {
  const screen = open(100, 24)
  screen.sink.event(started(tasks))
  await screen.showing('? help')
  screen.press('?')
  const help = await screen.showing('any key goes back')
  for (const key of ['enter', '/', 'f', 'q', 'ctrl-c', 'esc']) expect(help.join('\n')).toContain(key)
})

test('of 5,000 rows only those of the window are drawn', async () => {
  const many = Array.from(
    { length: 5_000 },
    (_, index): TaskInfo => ({ id: `answers/o${index}`, row: `o${index}`, stage: 'answers', cells: 1, toRun: 1 }),
  )
  const screen = open(100, 40)
  screen.sink.event(started(many))
  const lines = await screen.showing('rows above')
  expect(lines.filter((line) => line.includes('waits')).length).toBeLessThan(40)
  expect(lines.join('\n')).toMatch(/0 rows above, 4,97\d below/)
})
