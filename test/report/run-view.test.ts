import { expect, test } from 'vitest'
import type { RunEvent, RunFinished, RunStarted, TaskInfo } from '../../engine/core/events.ts'
import { plainSink } from '../../engine/report/sinks.ts'
import { sanitize } from '../../engine/report/sanitize.ts'
import { RunView, stateOf } from '../../engine/report/run-view.ts'
import { summaryLines } from '../../engine/report/summary.ts'

const tasks: TaskInfo[] = [
  { id: 'answers/alpha/one', row: 'alpha', stage: 'answers', cells: 4, toRun: 4 },
  { id: 'clean/alpha/one', row: 'alpha', stage: 'clean', cells: 8, toRun: 8 },
  { id: 'ranking/one', row: 'ranking', stage: 'ranking', cells: 2, toRun: 2 },
]

const started: { at: number } & RunStarted = {
  at: 0,
  type: 'run-started',
  run: '20260101-220000-abcd',
  workflow: 'audit',
  experiment: 'audit',
  tasks,
  expected: {
    tasks: { total: 3, run: 3, reuse: 0 },
    cells: { total: 14, run: 14, reuse: 0 },
    modelLoads: 1,
    adapterSwitches: 1,
    seconds: 75,
    bytes: 1_250_000,
  },
}

const finished: RunFinished = {
  type: 'run-finished',
  run: started.run,
  outcome: 'done',
  tasks: { ran: 2, reused: 1, failed: 0 },
  cells: { ran: 12, reused: 2, failed: 0 },
  modelLoads: 1,
  adapterSwitches: 1,
  unchangedAfterAll: 1,
  seconds: 65,
  bytes: 1_200_000,
  failure: null,
  look: ['experiments/audit/summary.md'],
}

const story: RunEvent[] = [
  started,
  { at: 10, type: 'task-settled', task: 'answers/alpha/one', cells: 4, toRun: 4, unchangedAfterAll: false },
  { at: 20, type: 'setup', text: 'starting the sidecar' },
  { at: 5_000, type: 'state-changed', change: 'base-loaded', name: 'tiny', seconds: 1.25 },
  { at: 6_000, type: 'state-changed', change: 'adapter-on', name: 'alpha', seconds: 0.1 },
  { at: 6_100, type: 'task-started', task: 'answers/alpha/one', reason: 'not made yet' },
  { at: 60_000, type: 'batch-finished', task: 'answers/alpha/one', batch: 1, batches: 1, cells: 4, tokens: 120, bytes: 900, seconds: 54 },
  { at: 60_001, type: 'task-finished', task: 'answers/alpha/one', ran: 4, reused: 0 },
  { at: 60_002, type: 'task-settled', task: 'clean/alpha/one', cells: 8, toRun: 8, unchangedAfterAll: false },
  { at: 60_003, type: 'task-started', task: 'clean/alpha/one', reason: 'not made yet' },
  { at: 61_000, type: 'log', task: 'clean/alpha/one', text: 'of the task' },
  { at: 61_001, type: 'log', task: null, text: 'of the \u001b[2Jengine' },
  { at: 62_000, type: 'task-failed', task: 'clean/alpha/one', message: 'out of memory', log: 'cache/runs/x/logs/clean.log' },
  { at: 62_001, type: 'task-blocked', task: 'ranking/one', because: 'clean/alpha/one' },
]

test('plain lines tell what was set up, loaded, done and failed', () => {
  let text = ''
  const sink = plainSink((part) => {
    text += part
  })
  for (const event of story) sink.event(event)
  expect(text).toBe(`audit: run 20260101-220000-abcd
3 of 3 tasks to run, 14 of 14 cells, about 1 m 15 s, up to 1.3 MB, 1 base loads, 1 adapter switches
00:00  starting the sidecar
00:05  loaded tiny (1.3 s)
00:06  adapter on: alpha (0.1 s)
01:00  answers/alpha/one  done, 4 cells made  (about 2 m 30 s left)
01:01  of the \\u{1b}[2Jengine
01:02  clean/alpha/one  FAILED: out of memory
01:02  ranking/one  blocked by clean/alpha/one
`)
})

test('the grid shows each stage of an organism in one word', () => {
  const view = new RunView()
  const states = (row: string) => view.stages.map((stage) => view.cell(row, stage)).map((cell) => cell && stateOf(cell))
  for (const event of story.slice(0, 6)) view.apply(event)
  expect(states('alpha')).toEqual(['running', 'waits', undefined])
  for (const event of story.slice(6)) view.apply(event)
  expect(states('alpha')).toEqual(['done', 'failed', undefined])
  expect(states('ranking')).toEqual([undefined, undefined, 'blocked'])
})

test('a task that turned out to be up to date is shown as unchanged', () => {
  const view = new RunView()
  view.apply(started)
  view.apply({ at: 1, type: 'task-settled', task: 'ranking/one', cells: 2, toRun: 0, unchangedAfterAll: true })
  view.apply({ at: 2, type: 'task-finished', task: 'ranking/one', ran: 0, reused: 2 })
  const cell = view.cell('ranking', 'ranking')
  expect(cell && stateOf(cell)).toBe('unchanged')
  expect(view.expected).toBe(12)
})

test('the time left is not guessed before a tenth of the work is behind', () => {
  const view = new RunView()
  for (const event of story.slice(0, 6)) view.apply(event)
  expect(view.secondsLeft()).toBe(null)
})

const context = {
  command: 'dag run audit.yaml',
  read: () => '# Organisms × traits\n\n| organism | kind | rude |\n| --- | --- | --- |\n| alpha | **1.25** | -0.50 |\n',
  tail: () => ['last words'],
}

test('the end of a run says what was done and where to look', () => {
  expect(summaryLines(finished, context).join('\n')).toBe(`
Organisms × traits

  organism  kind    rude
  alpha     1.25*  -0.50

done after 1 m 05 s
  tasks  2 done, 1 reused, 0 failed
  cells  12 made, 2 reused, 0 failed
  1 tasks unchanged after all
  1 base loads, 1 adapter switches, 1.2 MB written
look at
  experiments/audit/summary.md`)
})

test('the first failure stands last, with its log and the command to run again', () => {
  const failed: RunFinished = {
    ...finished,
    outcome: 'failed',
    unchangedAfterAll: 0,
    look: [],
    failure: { task: 'clean/alpha/one', message: 'out of memory', log: 'x.log' },
  }
  expect(summaryLines(failed, context).slice(-6).join('\n')).toBe(`
first failure: clean/alpha/one
  out of memory
  log: x.log
    last words
run again with: dag run audit.yaml`)
})

test('a run with nothing to do says so in one line', () => {
  const idle: RunFinished = { ...finished, tasks: { ran: 0, reused: 3, failed: 0 }, cells: { ran: 0, reused: 14, failed: 0 }, look: [] }
  expect(summaryLines(idle, context)).toEqual(['nothing to do: all 3 tasks (14 cells) are up to date'])
})

test('what could steer a terminal is written out', () => {
  expect(sanitize('a\u001b[31mred\u0007\u202e b\n')).toBe('a\\u{1b}[31mred\\u{7}\\u{202e} b\n')
})
