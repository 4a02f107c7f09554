import { type RunEvent, type RunStarted, type TaskInfo, unreachable, type WorkerName } from '../core/events.ts'
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
  type StateCounts,
  type TaskState,
  type TaskView,
  taskOf,
  lostWorkerText,
  type WorkerView,
  type WorkView,
  workerOf,
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
      const others = view.activities.filter(({ task }) => task !== event.task)
      const activities = [...others, { ...begun(event), batch: 1 }]
      return withTask({ ...view, activities }, event.task, { state: 'running' }, `started: ${event.reason}`)
    }
    case 'task-progress': {
      const { done, total, tokens } = event
      return withActivity({ ...view, setup: null }, event, ({ from, rate }) => ({
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
    case 'worker-lost': {
      const activities = view.activities.filter(({ worker }) => worker !== event.worker)
      return { ...view, activities, log: logged(view.log, event.at, lostWorkerText(event)) }
    }
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
  const works = [...Map.groupBy(event.tasks, workOf)]
  const stageIndex = new Map(stages.map((stage, index) => [stage, index]))
  const workIndex = new Map(works.map(([work], index) => [work, index]))
  const rows = new Map<string, { index: number; tasks: TaskView[] }>()
  const places = new Map<string, Place>()
  for (const info of event.tasks) {
    const { id, row: name, stage, cells, toRun } = info
    let row = rows.get(name)
    if (!row) rows.set(name, (row = { index: rows.size, tasks: [] }))
    const [ofStage, work] = [stageIndex.get(stage) as number, workIndex.get(workOf(info)) as number]
    places.set(id, { row: row.index, task: row.tasks.length, stage: ofStage, work })
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
    work: works.map(([name, tasks]) => ({ name, left: tasks.reduce((sum, { toRun }) => sum + toRun, 0), made: 0, seconds: 0 })),
  }
}

function workOf({ work, stage }: TaskInfo): string {
  return work ?? stage
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
  const worker = workerOf(view, event.worker)
  const seconds = event.seconds > worker.pendingLoad ? event.seconds - worker.pendingLoad : event.seconds
  const text = `batch ${batch} of ${batches}: ${formatNumberOf(cells, 'cell')}${tokens > 0 ? `, ${formatCount(tokens)} tokens` : ''} in ${formatDuration(event.seconds)}`
  const change = { ran: task.ran + cells, seconds: task.seconds + seconds, tokens: task.tokens + tokens }
  const after = withTask(view, event.task, change, text)
  const work = after.work[place.work] as WorkView
  const counted = {
    ...after,
    work: after.work.with(place.work, { ...work, made: work.made + cells, seconds: work.seconds + seconds }),
    cellsMade: view.cellsMade + cells,
    bytes: view.bytes + bytes,
    workers: withWorker(view, event.worker, { ...worker, pendingLoad: 0 }),
    setup: null,
  }
  // One of several may go on anywhere.
  if (event.worker !== undefined)
    return { ...counted, activities: view.activities.filter((one) => one.task !== event.task || one.worker !== event.worker) }
  return withActivity(counted, event, ({ rate }) => ({
    batch: batch + 1,
    batches,
    done: 0,
    total: 0,
    tokens: 0,
    from: null,
    rate: rateOf(tokens, cells, seconds) ?? rate,
  }))
}

function changeState(view: RunView, event: RunEvent & { readonly type: 'state-changed' }): RunView {
  const before = workerOf(view, event.worker)
  const pendingLoad = before.pendingLoad + event.seconds
  const holds = (held: Partial<WorkerView>) => ({
    ...view,
    setup: null,
    workers: withWorker(view, event.worker, { ...before, pendingLoad, ...held }),
  })
  switch (event.change) {
    case 'base-loaded':
      return { ...holds({ base: event.name, adapter: null }), modelLoads: view.modelLoads + 1 }
    case 'adapter-on': {
      const switched = { adapterSwitches: view.adapterSwitches + 1, switchSeconds: view.switchSeconds + event.seconds }
      return { ...holds({ adapter: event.name }), ...switched }
    }
    case 'adapter-off':
      return holds({ adapter: null })
    default:
      return unreachable(event.change)
  }
}

function withWorker({ workers }: RunView, name: WorkerName | undefined, worker: WorkerView): RunView['workers'] {
  return new Map(workers).set(name, worker)
}

/** Work on a task of which nothing is known yet. */
function begun({ task, worker }: Pick<Activity, 'task'> & { readonly worker?: WorkerName }): Activity {
  return { task, worker, batch: null, batches: null, done: 0, total: 0, tokens: 0, rate: null, from: null }
}

function ended(view: RunView, id: string, state: TaskState, text: string | null): RunView {
  return withTask({ ...view, activities: view.activities.filter(({ task }) => task !== id) }, id, { state }, text)
}

/** Changes what a worker does at a task. Where there are several, a further one may join in with any batch. */
function withActivity(
  view: RunView,
  { task, worker }: Pick<Activity, 'task'> & { readonly worker?: WorkerName },
  change: (activity: Activity) => Partial<Activity>,
): RunView {
  const index = view.activities.findIndex((activity) => activity.task === task && activity.worker === worker)
  const activity = view.activities[index] ?? (worker === undefined ? null : begun({ task, worker }))
  if (!activity) return view
  const changed = { ...activity, ...change(activity) }
  return { ...view, activities: index < 0 ? [...view.activities, changed] : view.activities.with(index, changed) }
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
  const work = view.work[place.work] as WorkView
  return {
    ...view,
    rows: view.rows.with(place.row, newRow),
    taskStates: move(view.taskStates, before.state, after.state),
    rowStates: move(view.rowStates, row.state, newRow.state),
    work: view.work.with(place.work, { ...work, left: work.left + leftOf(after) - leftOf(before) }),
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
