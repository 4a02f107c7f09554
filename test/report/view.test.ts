import { expect, test } from 'vitest'
import type { RunEvent, RunFact } from '../../engine/core/events.ts'
import { reduce } from '../../engine/report/reduce.ts'
import { emptyView, isStepRow, nextCell, type RunView, taskOf, workerOf } from '../../engine/report/view.ts'
import { about, quickstart, quickstartTasks, Script, startedAt, until } from './events.ts'

const viewOf = (events: readonly RunEvent[], from: RunView = emptyView) => events.reduce(reduce, from)
const cellOf = (view: RunView, row: string, stage: string) => view.rows.find(({ name }) => name === row)?.cells[view.stages.indexOf(stage)]
const failing = { task: 'answers/emotional_bond/probing', message: 'out of memory', log: null }

test('the grid has rows and stages in the order of the workflow', () => {
  const view = viewOf(quickstart().slice(0, 1))
  expect(view.stages).toEqual(['vectors', 'answers', 'answers.capture', 'clean', 'scores', 'ranking', 'report'])
  expect(view.rows.map(({ name }) => name)).toEqual([
    'vectors',
    'flattery',
    'emotional_bond',
    'self_promotion',
    'hallucinates_citations',
    'defer_to_users',
    'contextual_optimism',
    'control',
    'ranking',
    'report',
  ])
  expect(view.rows.filter(isStepRow).map(({ name }) => name)).toEqual(['vectors', 'ranking', 'report'])
  expect(cellOf(view, 'flattery', 'answers')).toMatchObject({ total: 32, done: 0, state: 'waits' })
  expect(cellOf(view, 'flattery', 'vectors')).toBeNull()
})

test('a task goes from waiting to ready, running and done', () => {
  const events = quickstart()
  const task = 'answers/flattery/discovery'
  const states = (['task-settled', 'task-started', 'batch-finished', 'task-finished'] as const).map((type) => {
    const view = viewOf(until(events, about(type, task)))
    return [taskOf(view, task)?.state, cellOf(view, 'flattery', 'answers')?.done]
  })
  expect(states).toEqual([
    ['ready', 0],
    ['running', 0],
    ['running', 8],
    ['done', 16],
  ])
})

test('a whole run leaves every row done and nothing to do', () => {
  const view = viewOf(quickstart())
  expect(view.rowStates).toMatchObject({ done: 10, waits: 0, running: 0 })
  expect(view.taskStates.done).toBe(quickstartTasks().length)
  expect(view.work.map(({ left }) => left)).toEqual([0, 0, 0, 0, 0, 0, 0])
  expect(view.cellsMade).toBe(quickstartTasks().reduce((sum, { cells }) => sum + cells, 0))
  expect(view.modelLoads).toBe(1)
  expect(view.adapterSwitches).toBe(7)
  expect(view.activities).toEqual([])
})

test('what is there already is cached from the start', () => {
  const view = viewOf(quickstart({ reused: ['flattery'] }).slice(0, 1))
  expect(cellOf(view, 'flattery', 'clean')).toMatchObject({ state: 'cached', done: 32, total: 32 })
  expect(view.rowStates.cached).toBe(1)
})

test('a task that was expected to run and turns out to be up to date is unchanged', () => {
  const [task] = quickstartTasks() as [ReturnType<typeof quickstartTasks>[0]]
  const script = new Script().start(quickstartTasks())
  script.emit({ type: 'task-settled', task: task.id, cells: 8, toRun: 0, unchangedAfterAll: true })
  script.emit({ type: 'task-finished', task: task.id, ran: 0, reused: 8 })
  const view = viewOf(script.events)
  expect(taskOf(view, task.id)?.state).toBe('unchanged')
  expect(view.work[0]?.left).toBe(5 * 8)
})

test('a failure shows in its cell while the rest goes on, and blocks what needs it', () => {
  const events = quickstart({ failing })
  const view = viewOf(until(events, about('batch-finished', 'answers/emotional_bond/benign')))
  expect(cellOf(view, 'emotional_bond', 'answers')).toMatchObject({ state: 'failed', done: 24, total: 32 })
  expect(cellOf(view, 'emotional_bond', 'answers.capture')).toMatchObject({ state: 'blocked' })
  expect(view.failures).toEqual([failing])
  expect(viewOf(events).rowStates).toMatchObject({ done: 7, failed: 1, blocked: 2 })
})

test('tasks that are settled again after an object was lost are counted once', () => {
  const script = new Script().start(quickstartTasks())
  const task = quickstartTasks()[0] as ReturnType<typeof quickstartTasks>[0]
  script.settle(task).run(task, 2)
  script.emit({ type: 'object-lost', object: 'ab'.repeat(32), detail: 'object ab is damaged', cells: 8 })
  script.settle(task).run(task, 2)
  const view = viewOf(script.events)
  expect(cellOf(view, 'vectors', 'vectors')).toMatchObject({ done: 8, total: 48 })
  expect(view.cellsMade).toBe(16)
  expect(view.log.map(({ text }) => text)).toEqual(['object ab is damaged; 8 cells to be made again'])
})

test('tokens a second are measured within the batch, without the loading before it', () => {
  const events = until(quickstart(), about('task-progress', 'answers/flattery/discovery', 2))
  expect(viewOf(events).activities).toMatchObject([{ batch: 1, batches: null, done: 5, total: 8, rate: { perSecond: 120, unit: 'tok' } }])
  const after = viewOf(until(quickstart(), about('batch-finished', 'answers/flattery/discovery')))
  expect(after.activities).toMatchObject([{ batch: 2, batches: 2, total: 0 }])
  expect(after.activities[0]?.rate?.perSecond).toBeCloseTo(360 / 3)
})

test('loads are told by what is loaded now', () => {
  const loadedAt = (type: RunEvent['type'], task: string) => {
    const { base, adapter } = workerOf(viewOf(until(quickstart(), about(type, task))), undefined)
    return { base, adapter }
  }
  expect(loadedAt('task-started', 'vectors/flattery')).toEqual({ base: null, adapter: null })
  expect(loadedAt('task-finished', 'vectors/flattery')).toEqual({ base: 'smollm2', adapter: null })
  expect(loadedAt('task-started', 'answers/flattery/probing')).toEqual({ base: 'smollm2', adapter: 'flattery' })
  expect(loadedAt('task-started', 'clean/flattery/probing')).toEqual({ base: 'smollm2', adapter: null })
})

test('several sidecars work at one task, each is told by itself, and what a lost one was given is nobody’s', () => {
  const script = new Script().start(quickstartTasks({}), 180, null, ['cpu', 'cpu 2'])
  const task = 'answers/flattery/discovery'
  script.emit({ type: 'task-settled', task, cells: 16, toRun: 16, unchangedAfterAll: false })
  script.emit({ type: 'task-started', task, reason: 'not made yet', worker: 'cpu' })
  for (const worker of ['cpu', 'cpu 2']) script.emit({ type: 'task-progress', task, done: 2, total: 8, tokens: 20, worker })
  const atWork = (view: RunView) => view.activities.map(({ worker, batch, done }) => [worker, batch, done])
  expect(atWork(viewOf(script.events))).toEqual([
    ['cpu', 1, 2],
    ['cpu 2', null, 2],
  ])
  script.emit({ type: 'batch-finished', task, batch: 2, batches: 2, cells: 8, tokens: 80, bytes: 0, seconds: 2, worker: 'cpu 2' })
  expect(atWork(viewOf(script.events))).toEqual([['cpu', 1, 2]])
  script.emit({ type: 'worker-lost', worker: 'cpu', message: 'memory ran out' })
  const view = viewOf(script.events)
  expect([atWork(view), view.log.at(-1)?.text]).toEqual([[], 'cpu is left out: memory ran out'])
})

test('next is the first cell that is ready and does not run', () => {
  const view = viewOf(until(quickstart(), about('task-started', 'answers/flattery/discovery')))
  expect(nextCell(view)?.row.name).toBe('emotional_bond')
  expect(view.stages[nextCell(view)?.stage ?? -1]).toBe('answers')
  expect(nextCell(viewOf(quickstart()))).toBeNull()
})

test('a task that was ended on request has not failed', () => {
  const events = until(quickstart(), about('task-progress', 'answers/flattery/discovery'))
  const at = (events.at(-1) as RunEvent).at
  const facts: RunFact[] = [
    { type: 'stop-requested', how: 'now', because: null },
    { type: 'task-failed', task: 'answers/flattery/discovery', message: 'failed', log: null },
  ]
  const view = viewOf([...events, ...facts.map((fact) => ({ at, ...fact }))])
  expect(view.failures).toEqual([])
  expect(taskOf(view, 'answers/flattery/discovery')?.state).toBe('waits')
})

test('a log keeps its latest 500 lines, and no endless ones', () => {
  const script = new Script().start(quickstartTasks())
  for (let line = 0; line < 600; line++) script.emit({ type: 'log', task: 'ranking', text: `line ${line}` })
  script.emit({ type: 'log', task: 'ranking', text: 'x'.repeat(100_000) })
  const log = taskOf(viewOf(script.events), 'ranking')?.log ?? []
  expect(log).toHaveLength(500)
  expect(log[0]?.text).toBe('line 101')
  expect(log.at(-1)?.text).toHaveLength(4002)
})

test('an event leaves the view before it as it was, and rows that it does not touch the same', () => {
  const events = until(quickstart(), about('task-started', 'answers/flattery/discovery'))
  const before = viewOf(events.slice(0, -1))
  const copy = structuredClone(before)
  const after = reduce(before, events.at(-1) as RunEvent)
  expect(before).toEqual(copy)
  expect(after.rows.filter((row, index) => row !== before.rows[index]).map(({ name }) => name)).toEqual(['flattery'])
})

test('events of tasks that were never announced are passed over', () => {
  const view = viewOf(quickstart().slice(0, 1))
  const after = reduce(view, { at: startedAt, type: 'task-finished', task: 'nobody', ran: 1, reused: 0 })
  expect(after.rows).toBe(view.rows)
})
