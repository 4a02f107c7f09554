import type { LostWorker, RunFinished, RunStarted, WorkerName } from '../core/events.ts'

/**
 * A run as its events tell it: what every way of showing it draws from. Data that is never changed: an event makes a
 * new view that shares all but the touched row with the old one, so that a row that is the same object is the same row.
 */
export interface RunView {
  readonly started: RunStarted | null
  readonly startedAt: number
  /** Time of the latest event. */
  readonly now: number
  readonly finished: RunFinished | null
  readonly stopping: 'drain' | 'now' | null
  /** What the engine is busy with beside tasks, e.g. loading a model. */
  readonly setup: string | null
  readonly stages: readonly string[]
  readonly rows: readonly RowView[]
  readonly places: ReadonlyMap<string, Place>
  readonly taskStates: StateCounts
  readonly rowStates: StateCounts
  /** What is left of each kind and how fast it went. */
  readonly work: readonly WorkView[]
  /** What works right now, in the order it began. */
  readonly activities: readonly Activity[]
  readonly failures: readonly Failure[]
  /** Log of the engine and the sidecar as a whole. */
  readonly log: readonly LogEntry[]
  /** What each sidecar holds, by its name, or by none where there is one. */
  readonly workers: ReadonlyMap<WorkerName | undefined, WorkerView>
  readonly modelLoads: number
  readonly adapterSwitches: number
  /** Seconds of the adapter switches so far. */
  readonly switchSeconds: number
  readonly cellsMade: number
  readonly bytes: number
}

/** `ready`: its parents are done and it has something to do. `unchanged`: expected to run, but up to date after all. */
export type TaskState = 'waits' | 'ready' | 'running' | 'done' | 'cached' | 'unchanged' | 'failed' | 'blocked'

export type StateCounts = Readonly<Record<TaskState, number>>

/** A row of the grid: an organism, or a step that has none. */
export interface RowView {
  readonly name: string
  readonly tasks: readonly TaskView[]
  /** By stage; null where the row has no tasks. */
  readonly cells: readonly (GridCell | null)[]
  readonly states: StateCounts
  readonly state: TaskState
}

/** All tasks of one row and stage together. */
export interface GridCell {
  readonly total: number
  /** Cells that are there: reused or made. */
  readonly done: number
  readonly states: StateCounts
  readonly state: TaskState
}

export interface TaskView {
  readonly id: string
  readonly stage: string
  readonly state: TaskState
  readonly cells: number
  readonly toRun: number
  readonly ran: number
  /** Of its finished batches, without loads. */
  readonly seconds: number
  readonly tokens: number
  readonly log: readonly LogEntry[]
}

export interface WorkerView {
  readonly base: string | null
  readonly adapter: string | null
  /** Seconds of loads and switches within the batch that runs: not the speed of its work. */
  readonly pendingLoad: number
}

export interface LogEntry {
  readonly at: number
  readonly text: string
}

export interface Activity {
  readonly task: string
  /** Which sidecar works at it, where there are several. */
  readonly worker: WorkerName | undefined
  /** The batch that runs, from 1, null where it is not known; how many there are is known once the first is finished. */
  readonly batch: number | null
  readonly batches: number | null
  /** Within the batch that runs. */
  readonly done: number
  readonly total: number
  readonly tokens: number
  readonly rate: Rate | null
  /** First progress of the batch that runs: speed is measured from there. */
  readonly from: { readonly at: number; readonly done: number; readonly tokens: number } | null
}

export interface Rate {
  readonly perSecond: number
  readonly unit: 'tok' | 'cell'
}

export interface Failure {
  readonly task: string
  readonly message: string
  readonly log: string | null
}

/** Tasks whose cells take as long. */
export interface WorkView {
  readonly name: string
  /** Cells still to be made. */
  readonly left: number
  readonly made: number
  readonly seconds: number
}

export interface Place {
  readonly row: number
  readonly task: number
  readonly stage: number
  readonly work: number
}

export const noStates: StateCounts = { waits: 0, ready: 0, running: 0, done: 0, cached: 0, unchanged: 0, failed: 0, blocked: 0 }

export const emptyView: RunView = {
  started: null,
  startedAt: 0,
  now: 0,
  finished: null,
  stopping: null,
  setup: null,
  stages: [],
  rows: [],
  places: new Map(),
  taskStates: noStates,
  rowStates: noStates,
  work: [],
  activities: [],
  failures: [],
  log: [],
  workers: new Map(),
  modelLoads: 0,
  adapterSwitches: 0,
  switchSeconds: 0,
  cellsMade: 0,
  bytes: 0,
}

const nothingLoaded: WorkerView = { base: null, adapter: null, pendingLoad: 0 }

export function workerOf({ workers }: RunView, name: WorkerName | undefined): WorkerView {
  return workers.get(name) ?? nothingLoaded
}

export function lostWorkerText({ worker, message }: LostWorker): string {
  return `${worker} is left out: ${message}`
}

export function taskOf(view: RunView, id: string): TaskView | null {
  const place = view.places.get(id)
  return (place && view.rows[place.row]?.tasks[place.task]) ?? null
}

export function rowOf(view: RunView, task: string): RowView | null {
  const place = view.places.get(task)
  return (place && view.rows[place.row]) ?? null
}

/** Cells still to be made, as far as is known. */
export function cellsLeft(view: RunView): number {
  return view.work.reduce((sum, { left }) => sum + left, 0)
}

/** A row of a step that has no organisms: its only stage bears its name. */
export function isStepRow(row: RowView): boolean {
  return row.tasks.every(({ stage }) => stage === row.name)
}

/** Where work goes on when what runs is done: what is loaded is worked off first, then the order of the workflow counts. */
export function nextCell(view: RunView): { readonly row: RowView; readonly stage: number } | null {
  const busy = view.activities[0]
  const here = busy ? rowOf(view, busy.task) : null
  for (const row of here ? [here, ...view.rows] : view.rows) {
    const stage = row.states.ready === 0 ? -1 : row.cells.findIndex((cell) => cell?.state === 'ready')
    if (stage >= 0) return { row, stage }
  }
  return null
}
