import { expect, test } from 'vitest'
import type { RunLine, StoreReport } from '../../engine/report/show-run.ts'
import { storeText, workflowText } from '../../engine/report/show-text.ts'

const now = Date.UTC(2026, 0, 31, 8)

const night: RunLine = {
  run: '20260130-190000-7f3a',
  workflow: 'overnight-of-every-organism',
  at: Date.UTC(2026, 0, 30, 19),
  outcome: 'done',
  seconds: 46_320,
  cells: { ran: 385_000, reused: 92, failed: 0 },
}

test('the runs and the store fit in 100 columns', () => {
  const report: StoreReport = {
    store: 'cache',
    runs: [
      {
        ...night,
        run: '20260131-075930-01b2',
        at: now - 30_000,
        outcome: 'running',
        seconds: 25,
        cells: { ran: 12, reused: null, failed: null },
      },
      night,
    ],
    operations: [{ operation: 'capture', cells: 184_800, batches: 11_760, bytes: 908e9 }],
    objects: { count: 23_520, bytes: 909e9 },
    index: { bytes: 271e6 },
  }
  const text = storeText(report, now)
  expect(text).toBe(`the last runs
  run                   workflow            started   outcome  cells made  reused  failed       took
  20260131-075930-01b2  overnight-of-ever…  just now  running          12                       25 s
  20260130-190000-7f3a  overnight-of-ever…  13 h ago  done        385,000      92       0  12 h 52 m

in the store cache: 23,520 objects, 909 GB; the index takes 271 MB
  operation    cells  batches  on disk
  capture    184,800   11,760   908 GB
  together   184,800   11,760   909 GB

more of a run: dag show 20260131-075930-01b2; of a workflow: dag show WORKFLOW.yaml
`)
  expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100)
  const elsewhere = storeText(report, now, (what) => `${what} --store there`)
  expect(elsewhere.split('\n').at(-2)).toBe(
    'more of a run: dag show 20260131-075930-01b2 --store there; of a workflow: dag show WORKFLOW.yaml --store there',
  )
})

test('a workflow is told by what people count, by step, and by what lacks', () => {
  const cells = (total: number, missing: number, lost = 0) => ({ total, there: total - missing, missing, lost })
  const answers = { what: 'answers', total: 15_400, there: 15_400, missing: 0, bytes: 12e6 }
  const recordings = { what: 'recordings', total: 30_800, there: 30_799, missing: 1, bytes: 907.9e9 }
  const text = workflowText(
    {
      workflow: 'overnight',
      file: 'workflows/overnight.yaml',
      tasks: { total: 2, done: 1 },
      cells: cells(200_200, 6, 6),
      bytes: 908e9,
      artifacts: [answers, recordings],
      steps: [
        {
          step: 'answers',
          artifacts: [answers],
          bytes: 12e6,
          cells: cells(15_400, 0),
          tasks: [{ task: 'answers/a/one', cells: cells(15_400, 0), bytes: 12e6 }],
        },
        {
          step: 'clean',
          artifacts: [recordings],
          bytes: 907.9e9,
          cells: cells(184_800, 6, 6),
          tasks: [{ task: 'clean/a/one', cells: cells(184_800, 6, 6), bytes: 907.9e9 }],
        },
      ],
      results: { folder: 'experiments/overnight', files: 2, bytes: 3e6, gone: 1, look: ['experiments/overnight/summary.md'] },
      remarks: [{ step: 'answers', text: '1,204 of 15,400 answers were cut at max_new_tokens' }],
      lastRun: night,
    },
    false,
    now,
  )
  expect(text).toBe(`overnight: 1 of 2 tasks up to date, 908 GB on disk; 6 cells missing
  6 of them lost: made before, but the object is gone or damaged

            15,400  answers     12.0 MB
  30,799 of 30,800  recordings   908 GB

  step     tasks  cells there  missing              holds  on disk
  answers    1/1       15,400        0     15,400 answers  12.0 MB
  clean      0/1      184,794        6  30,799 recordings   908 GB

  task         cells there  missing  on disk
  clean/a/one      184,794        6   908 GB

results: 2 files, 3.0 MB, in experiments/overnight (1 more deleted: the next run puts them back)
  experiments/overnight/summary.md

note
  answers: 1,204 of 15,400 answers were cut at max_new_tokens

last run 20260130-190000-7f3a, 13 h ago: done after 12 h 52 m
what is missing is made by: dag run workflows/overnight.yaml; why: dag plan workflows/overnight.yaml
`)
})
