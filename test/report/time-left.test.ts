import { expect, test } from 'vitest'
import type { RunEvent, TaskInfo } from '../../engine/core/events.ts'
import { timeLeft } from '../../engine/report/time-left.ts'
import { reduce } from '../../engine/report/reduce.ts'
import { emptyView } from '../../engine/report/view.ts'
import { Script } from './events.ts'

const viewOf = (events: readonly RunEvent[]) => events.reduce(reduce, emptyView)
const task = (id: string, stage: string, cells: number): TaskInfo => ({ id, row: 'one', stage, cells, toRun: cells })
const slow = task('slow', 'slow', 32)
const quick = task('quick', 'quick', 8)

test('nothing is said before something was measured', () => {
  const script = new Script().start([slow, quick]).settle(slow)
  script.emit({ type: 'task-started', task: 'slow', reason: 'not made yet' }).wait(100)
  expect(timeLeft(viewOf(script.events))).toBeNull()
})

test('what is left of a stage takes as long as what is done of it', () => {
  const script = new Script().start([slow], null).settle(slow)
  script.emit({ type: 'task-started', task: 'slow', reason: 'not made yet' }).batch(slow, 1, 4, 10)
  expect(timeLeft(viewOf(script.events))).toEqual({ seconds: 30, atLeast: false })
})

test('tasks of one stage whose cells take another time are told apart', () => {
  const reading: TaskInfo = { ...task('read', 'slow', 800), work: 'reading' }
  const script = new Script().start([slow, reading], 48, { slow: 40, reading: 8 }).settle(slow).run(slow, 20)
  expect(timeLeft(viewOf(script.events))).toEqual({ seconds: 4, atLeast: false })
})

test('several sidecars share what is left', () => {
  const script = new Script().start([slow], null, null, ['cuda:0', 'cuda:1']).settle(slow)
  script.emit({ type: 'task-started', task: 'slow', reason: 'not made yet', worker: 'cuda:0' }).wait(20)
  for (const worker of ['cuda:0', 'cuda:1'])
    script.emit({ type: 'state-changed', change: 'base-loaded', name: 'smollm2', seconds: 10, worker })
  for (const [index, worker] of ['cuda:0', 'cuda:1'].entries())
    script.emit({ type: 'batch-finished', task: 'slow', batch: index + 1, batches: 4, cells: 8, tokens: 0, bytes: 0, seconds: 30, worker })
  expect(timeLeft(viewOf(script.events))).toEqual({ seconds: 20, atLeast: false })
})

test('progress within a batch counts', () => {
  const script = new Script().start([slow], null).settle(slow)
  script.emit({ type: 'task-started', task: 'slow', reason: 'not made yet' }).batch(slow, 1, 4, 10)
  script.wait(5).emit({ type: 'task-progress', task: 'slow', done: 4, total: 8, tokens: 0 })
  expect(timeLeft(viewOf(script.events))).toEqual({ seconds: 25, atLeast: false })
})

test('loading is not taken for slow work', () => {
  const script = new Script().start([slow], null).settle(slow)
  script.emit({ type: 'task-started', task: 'slow', reason: 'not made yet' }).wait(20)
  script.emit({ type: 'state-changed', change: 'base-loaded', name: 'smollm2', seconds: 20 }).wait(10)
  script.emit({ type: 'batch-finished', task: 'slow', batch: 1, batches: 4, cells: 8, tokens: 0, bytes: 0, seconds: 30 })
  expect(timeLeft(viewOf(script.events))?.seconds).toBe(30)
})

test('a stage that has not begun gets its forecast, as much quicker as the others were beside theirs', () => {
  const script = new Script().start([slow, quick], 100, { slow: 80, quick: 20 }).settle(slow).run(slow, 10)
  expect(timeLeft(viewOf(script.events))).toEqual({ seconds: 20 / 8, atLeast: false })
})

test('without a forecast for it the figure is a lower bound', () => {
  const script = new Script().start([slow, quick], null).settle(slow)
  script.emit({ type: 'task-started', task: 'slow', reason: 'not made yet' }).batch(slow, 1, 4, 10)
  expect(timeLeft(viewOf(script.events))).toEqual({ seconds: 30, atLeast: true })
})

test('a small first part of the work says nothing yet', () => {
  const script = new Script().start([slow, quick], 10_000, { slow: 9000, quick: 1000 }).settle(quick).run(quick, 1)
  expect(timeLeft(viewOf(script.events))).toBeNull()
})

test('adapter switches to come take as long as those behind', () => {
  const script = new Script().start([slow], null).settle(slow)
  script.emit({ type: 'task-started', task: 'slow', reason: 'not made yet' })
  script.emit({ type: 'state-changed', change: 'adapter-on', name: 'flattery', seconds: 2 }).wait(2)
  script.emit({ type: 'batch-finished', task: 'slow', batch: 1, batches: 1, cells: 32, tokens: 0, bytes: 0, seconds: 12 })
  expect(timeLeft(viewOf(script.events))?.seconds).toBe(6 * 2)
})

test('what cannot run any more is not waited for', () => {
  const script = new Script().start([slow, quick], 100, { slow: 80, quick: 20 }).settle(slow).run(slow, 10)
  script.emit({ type: 'task-blocked', task: 'quick', because: 'slow' })
  expect(timeLeft(viewOf(script.events))).toEqual({ seconds: 0, atLeast: false })
})
