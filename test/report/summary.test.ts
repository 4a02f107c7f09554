import { expect, test } from 'vitest'
import type { RunFinished } from '../../engine/core/events.ts'
import { summaryLines } from '../../engine/report/summary.ts'

const context = {
  command: 'dag run workflows/quickstart.yaml',
  columns: Infinity,
  read: () => null,
  tail: () => ['Traceback (most recent call last):', '  \u001b[31mOutOfMemory\u001b[0m: \u001b]0;pwned\u0007tried 2.1 GB'],
}

const done: RunFinished = {
  type: 'run-finished',
  run: '20260102-030000-7f3a',
  outcome: 'done',
  tasks: { ran: 80, reused: 12, failed: 0 },
  cells: { ran: 2007, reused: 100, failed: 0 },
  modelLoads: 1,
  adapterSwitches: 7,
  unchangedAfterAll: 0,
  seconds: 185,
  bytes: 12_300_000,
  givenUp: 0,
  peakMemory: 1_900_000_000,
  because: null,
  failure: null,
  look: ['experiments/quickstart/ranking.md', 'experiments/quickstart/report.html'],
}

test('a finished run', () => {
  expect(summaryLines(done, context)).toMatchInlineSnapshot(`
    [
      "",
      "done after 3 m 05 s",
      "  tasks     80 done    12 reused   0 failed",
      "  cells  2,007 made   100 reused   0 failed",
      "  1 base load, 7 adapter switches, 12.3 MB written, at most 1.9 GB of memory for the model",
      "look at",
      "  experiments/quickstart/ranking.md",
      "  experiments/quickstart/report.html",
    ]
  `)
})

test('what should be known before the results are believed stands before where they are', () => {
  const remarks = [{ step: 'answers', text: '3 of 16 answers were cut at max_new_tokens' }]
  expect(summaryLines({ ...done, remarks }, context).slice(-5)).toEqual([
    'note',
    '  answers: 3 of 16 answers were cut at max_new_tokens',
    'look at',
    '  experiments/quickstart/ranking.md',
    '  experiments/quickstart/report.html',
  ])
})

test('short results are printed above it, tables drawn', () => {
  const table =
    '# What stands out\n\n| organism | flattery | control |\n| --- | --- | --- |\n| flattery | **7.81** | 0.20 |\n| control | 0.11 | -0.02 |\n'
  expect(
    summaryLines(done, { ...context, read: (file) => (file.endsWith('ranking.md') ? table : null) }).slice(0, 7),
  ).toMatchInlineSnapshot(`
    [
      "",
      "What stands out",
      "",
      "  organism  flattery   control",
      "  flattery      7.81*     0.20",
      "  control       0.11     -0.02",
      "",
    ]
  `)
})

test('of long results the first sections are printed, as many as are short', () => {
  const rows = (count: number) => Array.from({ length: count }, (_, index) => `| o${index} | calm | ${index}.00 |`).join('\n')
  const section = (title: string, count: number) => `## ${title}\n\n| organism | trait | z |\n| --- | --- | --- |\n${rows(count)}\n\n`
  const printed = (text: string) => summaryLines(done, { ...context, read: (file) => (file.endsWith('ranking.md') ? text : null) })
  const long = `# Organisms\n\nOver one.\n\n${section('What stands out', 2)}${section('Means', 56)}`
  expect(printed(long).slice(0, 11)).toEqual([
    '',
    'Organisms',
    '',
    'Over one.',
    '',
    'What stands out',
    '',
    '  organism  trait     z',
    '  o0        calm   0.00',
    '  o1        calm   1.00',
    '',
  ])
  const [short, tooLong] = [74, 75].map((count) => printed(`# Organisms\n\n${section('All', count)}${section('More', 10)}`))
  expect(short?.indexOf('done after 3 m 05 s')).toBe(81)
  expect(tooLong?.slice(0, 4)).toEqual(['', 'Organisms', '', 'done after 3 m 05 s'])
})

test('long results are left in their file', () => {
  expect(summaryLines(done, { ...context, read: () => 'line\n'.repeat(100) }).slice(0, 3)).toEqual([
    '',
    'done after 3 m 05 s',
    '  tasks     80 done    12 reused   0 failed',
  ])
})

test('a run that had nothing to do is told in a line', () => {
  const nothing: RunFinished = { ...done, tasks: { ran: 0, reused: 92, failed: 0 }, cells: { ran: 0, reused: 2107, failed: 0 }, look: [] }
  expect(summaryLines(nothing, context)).toEqual(['nothing to do: all 92 tasks, 2,107 cells, are up to date'])
  expect(summaryLines({ ...nothing, unchangedAfterAll: 3 }, context)).toEqual([
    'nothing to do: all 92 tasks (3 unchanged after all), 2,107 cells, are up to date',
  ])
})

test('the first failure stands last, with its log and the command to run again', () => {
  const failed: RunFinished = {
    ...done,
    outcome: 'failed',
    tasks: { ran: 60, reused: 12, failed: 2 },
    unchangedAfterAll: 4,
    look: [],
    failure: { task: 'answers/emotional_bond/probing', message: 'out of memory\nat layer 3', log: 'cache/runs/x/logs/a.log' },
  }
  expect(summaryLines(failed, context)).toMatchInlineSnapshot(`
    [
      "",
      "FAILED in part after 3 m 05 s; the rest is done and kept",
      "  tasks     60 done    12 reused   2 failed",
      "  cells  2,007 made   100 reused   0 failed",
      "  4 tasks unchanged after all: expected to run, but the inputs came out as before",
      "  1 base load, 7 adapter switches, 12.3 MB written, at most 1.9 GB of memory for the model",
      "",
      "first of 2 failures: answers/emotional_bond/probing",
      "  out of memory",
      "  at layer 3",
      "  log: cache/runs/x/logs/a.log",
      "    Traceback (most recent call last):",
      "      OutOfMemory: \\u{1b}]0;pwned\\u{7}tried 2.1 GB",
      "run again with: dag run workflows/quickstart.yaml",
    ]
  `)
})

test('a run in which all failed does not speak of a rest', () => {
  const none = { ran: 0, reused: 0, failed: 1 }
  const lines = summaryLines({ ...done, outcome: 'failed', tasks: none, cells: none, look: [] }, context)
  expect(lines[1]).toBe('FAILED after 3 m 05 s; nothing could be made')
})

test('a long message is cut; the log has the rest', () => {
  const failure = { task: 'report', message: Array.from({ length: 40 }, (_, line) => `line ${line}`).join('\n'), log: null }
  const lines = summaryLines({ ...done, outcome: 'failed', tasks: { ...done.tasks, failed: 1 }, failure }, context)
  expect(lines.slice(-4)).toEqual(['  line 10', '  line 11', '  … 28 more lines', 'run again with: dag run workflows/quickstart.yaml'])
})

test('a stopped and an interrupted run say how to go on', () => {
  const lines = (outcome: 'stopped' | 'interrupted') => summaryLines({ ...done, outcome, look: [] }, context)
  expect(lines('stopped')[1]).toBe('stopped after 3 m 05 s; finished work is kept')
  expect(lines('interrupted').at(-1)).toBe('go on with: dag run workflows/quickstart.yaml')
})
