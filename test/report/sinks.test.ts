import { expect, test } from 'vitest'
import type { RunEvent } from '../../engine/core/events.ts'
import { jsonSink, plainSink } from '../../engine/report/sinks.ts'
import { reduce } from '../../engine/report/reduce.ts'
import { emptyView } from '../../engine/report/view.ts'
import { about, quickstart, quickstartTasks, Script, startedAt, until } from './events.ts'

function plain(events: readonly RunEvent[], seen = emptyView): string[] {
  let text = ''
  const sink = plainSink((more) => (text += more), seen)
  for (const event of events) sink.event(event)
  void sink.close()
  return text.split('\n').slice(0, -1)
}

test('plain lines tell a run from the start on', () => {
  expect(plain(until(quickstart(), about('task-finished', 'answers/flattery/probing')))).toMatchInlineSnapshot(`
    [
      "quickstart: run 20260102-030000-7f3a",
      "92 of 92 tasks to run, 2,107 of 2,107 cells",
      "about 3 m 00 s, up to 12.3 MB, 1 base load, 7 adapter switches",
      "00:00:00  starting the sidecar",
      "00:00:01  loading smollm2",
      "00:00:04  loaded smollm2 (4.0 s)",
      "00:00:05  vectors/flattery  done: 8 cells in 1.5 s, 5.3 cells/s",
      "00:00:07  vectors/emotional_bond  done: 8 cells in 1.5 s, 5.3 cells/s",
      "00:00:08  vectors/self_promotion  done: 8 cells in 1.5 s, 5.3 cells/s",
      "00:00:10  vectors/hallucinates_citations  done: 8 cells in 1.5 s, 5.3 cells/s",
      "00:00:11  vectors/defer_to_users  done: 8 cells in 1.5 s, 5.3 cells/s",
      "00:00:13  vectors/contextual_optimism  done: 8 cells in 1.5 s, 5.3 cells/s",
      "00:00:13  adapter on: flattery (0.4 s)",
      "00:00:19  answers/flattery/discovery  done: 16 cells in 6.0 s, 120 tok/s (about 2 m 00 s left)",
      "00:00:22  answers/flattery/probing  done: 8 cells in 3.0 s, 120 tok/s (about 1 m 57 s left)",
    ]
  `)
})

test('plain lines tell of a failure and what it blocks', () => {
  const failing = { task: 'answers/emotional_bond/probing', message: 'out of memory\nat layer 3', log: 'cache/runs/x/logs/a.log' }
  const lines = plain(quickstart({ failing }))
  expect(lines.slice(lines.findIndex((line) => line.includes('FAILED'))).slice(0, 9)).toMatchInlineSnapshot(`
    [
      "00:00:40  answers/emotional_bond/probing  FAILED: out of memory",
      "          at layer 3",
      "          log: cache/runs/x/logs/a.log",
      "00:00:40  5 tasks blocked, since answers/emotional_bond/probing failed: answers.capture/emotional_bond/probing, clean/emotional_bond/probing, scores/emotional_bond/probing and 2 more",
      "00:00:43  answers/emotional_bond/benign  done: 8 cells in 3.0 s, 120 tok/s (about 1 m 40 s left)",
      "00:00:44  answers.capture/emotional_bond/discovery  done: 16 cells in 1.0 s, 16 cells/s (about 1 m 37 s left)",
      "00:00:45  answers.capture/emotional_bond/benign  done: 8 cells in 1.0 s, 8.0 cells/s (about 1 m 37 s left)",
      "00:00:46  clean/emotional_bond/discovery  done: 16 cells in 1.0 s, 16 cells/s (about 1 m 34 s left)",
      "00:00:47  clean/emotional_bond/benign  done: 8 cells in 1.0 s, 8.0 cells/s (about 1 m 34 s left)",
    ]
  `)
})

test('the end of a run is left to the summary', () => {
  expect(plain(quickstart()).at(-1)).toMatchInlineSnapshot(`"00:02:26  report  done: 1 cell in 0.1 s"`)
})

test('a run with nothing to do prints nothing', () => {
  const tasks = quickstartTasks().map((task) => ({ ...task, toRun: 0 }))
  const script = new Script().start(tasks)
  for (const task of tasks) script.settle(task).finish(task)
  expect(plain(script.events)).toEqual([])
})

test('a long batch gets a line, the last one that of its task', () => {
  const task = quickstartTasks().find(({ id }) => id === 'answers/flattery/discovery') as ReturnType<typeof quickstartTasks>[0]
  const script = new Script().start(quickstartTasks()).settle(task).run(task, 600, 3)
  expect(plain(script.events).slice(3)).toMatchInlineSnapshot(`
    [
      "00:10:00  answers/flattery/discovery  batch 1 of 2: 8 cells in 10 m 00 s, 3.0 tok/s (about 7 h 37 m left)",
      "00:20:00  answers/flattery/discovery  done: 16 cells in 20 m 00 s, 3.0 tok/s (about 7 h 27 m left)",
    ]
  `)
})

test('unchanged tasks, lost objects, failed cells and stopping are told', () => {
  const script = new Script().start(quickstartTasks()).wait(61)
  script.emit({ type: 'task-settled', task: 'ranking', cells: 42, toRun: 0, unchangedAfterAll: true })
  script.emit({ type: 'object-lost', object: 'ab'.repeat(32), detail: 'object abababab is damaged', cells: 1200 })
  script.emit({ type: 'cell-failed', task: 'answers/control/benign', cell: 'b-03', reason: 'empty answer' })
  script.emit({ type: 'log', task: null, text: 'sidecar: \u001b[2Jhello' })
  script.emit({ type: 'log', task: 'ranking', text: 'not for this list' })
  script.emit({ type: 'stop-requested', how: 'drain', because: null }).emit({ type: 'stop-requested', how: 'now', because: null })
  script.emit({ type: 'task-failed', task: 'ranking', message: 'failed', log: null })
  expect(plain(script.events).slice(3)).toMatchInlineSnapshot(`
    [
      "00:01:01  1 task unchanged after all: ranking",
      "00:01:01  object abababab is damaged; it is in quarantine, 1,200 cells to be made again",
      "00:01:01  answers/control/benign  cell b-03 failed: empty answer",
      "00:01:01  sidecar: \\u{1b}[2Jhello",
      "00:01:01  stopping: what runs is finished first; ctrl-c ends it now",
      "00:01:01  ending now; committed work is kept",
      "00:01:01  ranking  ended before it was done",
    ]
  `)
})

test('plain lines can take over from another sink', () => {
  const events = quickstart()
  const before = until(events, about('task-started', 'answers/flattery/probing'))
  const lines = plain(events.slice(before.length), before.reduce(reduce, emptyView))
  expect(lines[0]).toMatchInlineSnapshot(`"00:00:22  answers/flattery/probing  done: 8 cells in 3.0 s, 120 tok/s (about 1 m 57 s left)"`)
})

test('plain lines that begin within a run count from their first event', () => {
  expect(plain([{ at: startedAt, type: 'setup', text: 'loading smollm2' }])).toEqual(['00:00:00  loading smollm2'])
})

test('JSON lines are the events as they are', () => {
  let text = ''
  const events = quickstart()
  const sink = jsonSink((more) => (text += more))
  for (const event of events) sink.event(event)
  expect(text).toBe(events.map((event) => `${JSON.stringify(event)}\n`).join(''))
})
