import { type RunEvent, type RunStarted, unreachable } from '../core/events.ts'
import { formatBytes, formatCount, formatDuration, formatNumberOf } from '../core/format.ts'
import {
  type Activity,
  type GridCell,
  type LogEntry,
  noStates,
  type Place,
  type Rate,
  type RowView,
  type RunView,
  type StageWork,
  type StateCounts,
  type TaskState,
  type TaskView,
  taskOf,
} from './view.ts'

const keptLogLines = 500
const keptCharacters = 4000

/** Takes an event in. Costs what the touched row costs, however many tasks there are. */
export function reduce(view: RunView, event: RunEvent): RunView {
  return apply({ ...view, now: Math.max(view.now, event.at), startedAt: view.startedAt || event.at }, event)
}

function apply(view: RunView, event: RunEvent): RunView {
  switch (event.type) {
    case 'run-started':
      return start(view, event)
    case 'setup':
      return { ...view, setup: event.text }
    case 'task-settled': {
      const state = event.toRun > 0 ? 'ready' : event.unchangedAfterAll ? 'unchanged' : 'cached'
      const settled = { state, cells: event.cells, toRun: event.toRun, ran: 0 } as const
      const text = event.unchangedAfterAll ? 'unchanged after all: its inputs came out as before' : null
      return withTask(view, event.task, settled, text)
    }
    case 'task-started': {
      const activity = { task: event.task, batch: 1, batches: null, done: 0, total: 0, tokens: 0, rate: null, from: null }
      const activities = [...view.activities.filter(({ task }) => task !== event.task), activity]
      return withTask({ ...view, activities }, event.task, { state: 'running' }, `started: ${event.reason}`)
    }
    case 'task-progress': {
      const { done, total, tokens } = event
      return withActivity({ ...view, setup: null }, event.task, ({ from, rate }) => ({
        done,
        total,
        tokens,
        from: from ?? { at: event.at, done, tokens },
        rate: (from && rateOf(tokens - from.tokens, done - from.done, (event.at - from.at) / 1000)) ?? rate,
      }))
    }
    case 'batch-finished':
      return finishBatch(view, event)
    case 'task-finished': {
      const task = taskOf(view, event.task)
      if (event.ran === 0) return ended(view, event.task, task?.state === 'unchanged' ? 'unchanged' : 'cached', null)
      const reused = event.reused > 0 ? `, ${formatCount(event.reused)} reused` : ''
      return ended(view, event.task, 'done', `done: ${formatNumberOf(event.ran, 'cell')} made${reused}`)
    }
    case 'task-failed': {
      if (view.stopping === 'now') return ended(view, event.task, 'waits', 'ended before it was done')
      const { task, message, log } = event
      const failures = [...view.failures.filter((failure) => failure.task !== task), { task, message, log }]
      return ended({ ...view, failures }, task, 'failed', `failed: ${message}`)
    }
    case 'task-blocked':
      return ended(view, event.task, 'blocked', `blocked: ${event.because} failed`)
    case 'cell-failed':
      return withTask(view, event.task, {}, `cell ${event.cell} failed: ${event.reason}`)
    case 'state-changed':
      return changeState(view, event)
    case 'given-up':
      return withTask(view, event.task, {}, `${formatBytes(event.bytes)} given up after use`)
    case 'object-lost':
      return { ...view, log: logged(view.log, event.at, `${event.detail}; ${formatNumberOf(event.cells, 'cell')} to be made again`) }
    case 'log':
      return event.task === null ? { ...view, log: logged(view.log, event.at, event.text) } : withTask(view, event.task, {}, event.text)
    case 'stop-requested':
      if (event.because === null) return { ...view, stopping: event.how }
      return { ...view, stopping: event.how, log: logged(view.log, event.at, `stopping, since ${event.because}`) }
    case 'run-finished':
      return { ...view, finished: event, activities: [], setup: null }
    default:
      return unreachable(event)
  }
}

function start(view: RunView, event: RunStarted & { readonly at: number }): RunView {
  const stages = [...new Set(event.tasks.map(({ stage }) => stage))]
  const stageIndex = new Map(stages.map((stage, index) => [stage, index]))
  const rows = new Map<string, { index: number; tasks: TaskView[] }>()
  const places = new Map<string, Place>()
  for (const { id, row: name, stage, cells, toRun } of event.tasks) {
    let row = rows.get(name)
    if (!row) rows.set(name, (row = { index: rows.size, tasks: [] }))
    places.set(id, { row: row.index, task: row.tasks.length, stage: stageIndex.get(stage) as number })
    row.tasks.push({
      id,
      stage,
      state: cells > 0 && toRun === 0 ? 'cached' : 'waits',
      cells,
      toRun,
      ran: 0,
      seconds: 0,
      tokens: 0,
      log: [],
    })
  }
  const shown = [...rows].map(([name, { tasks }]) => rowView(name, tasks, stages))
  const left = stages.map(() => 0)
  for (const { id, toRun } of event.tasks) (left[(places.get(id) as Place).stage] as number) += toRun
  return {
    ...view,
    started: event,
    startedAt: event.at,
    now: event.at,
    stages,
    rows: shown,
    places,
    taskStates: countStates(shown.flatMap(({ tasks }) => tasks)),
    rowStates: countStates(shown),
    work: left.map((cells) => ({ left: cells, made: 0, seconds: 0 })),
  }
}

function rowView(name: string, tasks: readonly TaskView[], stages: readonly string[]): RowView {
  const cells = stages.map((stage) => {
    const those = tasks.filter((task) => task.stage === stage)
    if (those.length === 0) return null
    const sum = (of: (task: TaskView) => number) => those.reduce((total, task) => total + of(task), 0)
    const states = countStates(those)
    return { total: sum((task) => task.cells), done: sum(doneOf), states, state: together(states) }
  })
  const states = countStates(tasks)
  return { name, tasks, cells, states, state: together(states) }
}

function finishBatch(view: RunView, event: RunEvent & { readonly type: 'batch-finished' }): RunView {
  const place = view.places.get(event.task)
  const task = taskOf(view, event.task)
  if (!place || !task) return view
  const { batch, batches, cells, tokens, bytes } = event
  const seconds = event.seconds > view.pendingLoad ? event.seconds - view.pendingLoad : event.seconds
  const text = `batch ${batch} of ${batches}: ${formatNumberOf(cells, 'cell')}${tokens > 0 ? `, ${formatCount(tokens)} tokens` : ''} in ${formatDuration(event.seconds)}`
  const change = { ran: task.ran + cells, seconds: task.seconds + seconds, tokens: task.tokens + tokens }
  const after = withTask(view, event.task, change, text)
  const work = after.work[place.stage] as StageWork
  return withActivity(
    {
      ...after,
      work: after.work.with(place.stage, { ...work, made: work.made + cells, seconds: work.seconds + seconds }),
      cellsMade: view.cellsMade + cells,
      bytes: view.bytes + bytes,
      pendingLoad: 0,
      setup: null,
    },
    event.task,
    ({ rate }) => ({ batch: batch + 1, batches, done: 0, total: 0, tokens: 0, from: null, rate: rateOf(tokens, cells, seconds) ?? rate }),
  )
}

function changeState(view: RunView, event: RunEvent & { readonly type: 'state-changed' }): RunView {
  const seen = { ...view, setup: null, pendingLoad: view.pendingLoad + event.seconds }
  switch (event.change) {
    case 'base-loaded':
      return { ...seen, modelLoads: view.modelLoads + 1, loaded: { base: event.name, adapter: null } }
    case 'adapter-on': {
      const loaded = { ...view.loaded, adapter: event.name }
      return { ...seen, adapterSwitches: view.adapterSwitches + 1, switchSeconds: view.switchSeconds + event.seconds, loaded }
    }
    case 'adapter-off':
      return { ...seen, loaded: { ...view.loaded, adapter: null } }
    default:
      return unreachable(event.change)
  }
}

function ended(view: RunView, id: string, state: TaskState, text: string | null): RunView {
  return withTask({ ...view, activities: view.activities.filter(({ task }) => task !== id) }, id, { state }, text)
}

function withActivity(view: RunView, id: string, change: (activity: Activity) => Partial<Activity>): RunView {
  const index = view.activities.findIndex(({ task }) => task === id)
  const activity = view.activities[index]
  return activity ? { ...view, activities: view.activities.with(index, { ...activity, ...change(activity) }) } : view
}

/** Changes a task and carries the difference on to its cell, its row, its stage and the totals. */
function withTask(view: RunView, id: string, change: Partial<TaskView>, text: string | null): RunView {
  const place = view.places.get(id)
  const row = place && view.rows[place.row]
  const before = place && row?.tasks[place.task]
  if (!place || !row || !before) return view
  const log = text === null ? before.log : logged(before.log, view.now, text)
  const after: TaskView = { ...before, ...change, log }
  const move = (counts: StateCounts, from: TaskState, to: TaskState): StateCounts =>
    from === to ? counts : { ...counts, [from]: counts[from] - 1, [to]: counts[to] + 1 }

  const cell = row.cells[place.stage] as GridCell
  const cellStates = move(cell.states, before.state, after.state)
  const newCell = {
    total: cell.total + after.cells - before.cells,
    done: cell.done + doneOf(after) - doneOf(before),
    states: cellStates,
    state: together(cellStates),
  }
  const states = move(row.states, before.state, after.state)
  const newRow = {
    ...row,
    tasks: row.tasks.with(place.task, after),
    cells: row.cells.with(place.stage, newCell),
    states,
    state: together(states),
  }
  const work = view.work[place.stage] as StageWork
  return {
    ...view,
    rows: view.rows.with(place.row, newRow),
    taskStates: move(view.taskStates, before.state, after.state),
    rowStates: move(view.rowStates, row.state, newRow.state),
    work: view.work.with(place.stage, { ...work, left: work.left + leftOf(after) - leftOf(before) }),
  }
}

function countStates(those: readonly { readonly state: TaskState }[]): StateCounts {
  const counts = { ...noStates } as Record<TaskState, number>
  for (const { state } of those) counts[state]++
  return counts
}

/** The state of several tasks as one. A failure is seen first, then what runs. */
function together(states: StateCounts): TaskState {
  const order = ['failed', 'running', 'blocked', 'ready', 'waits', 'done', 'unchanged', 'cached'] as const
  return order.find((state) => states[state] > 0) ?? 'cached'
}

function doneOf({ cells, toRun, ran }: TaskView): number {
  return cells - toRun + ran
}

function leftOf({ state, toRun, ran }: TaskView): number {
  return state === 'waits' || state === 'ready' || state === 'running' ? Math.max(0, toRun - ran) : 0
}

/** Tokens where there are any, else cells; null when nothing was counted. */
function rateOf(tokens: number, cells: number, seconds: number): Rate | null {
  if (seconds <= 0) return null
  if (tokens > 0) return { perSecond: tokens / seconds, unit: 'tok' }
  return cells > 0 ? { perSecond: cells / seconds, unit: 'cell' } : null
}

function logged(log: readonly LogEntry[], at: number, text: string): readonly LogEntry[] {
  const entries = text.split('\n').map((line) => ({ at, text: line.length > keptCharacters ? `${line.slice(0, keptCharacters)} …` : line }))
  return [...log, ...entries].slice(-keptLogLines)
}
