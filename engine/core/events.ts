import type { Digest } from './digest.ts'

/**
 * What happens in a run, in order. The only language between the engine and whatever shows or records it: the
 * TUI, the plain lines, `--ui json` and the journal all read this stream. Events are data and are never changed.
 */
export type RunEvent = { readonly at: number } & RunFact

export type RunFact =
  | RunStarted
  | Setup
  | TaskSettled
  | TaskStarted
  | TaskProgress
  | BatchFinished
  | TaskFinished
  | TaskFailed
  | TaskBlocked
  | CellFailed
  | StateChanged
  | WorkerLost
  | GivenUp
  | ObjectLost
  | LogLine
  | StopRequested
  | RunFinished

export interface RunStarted {
  readonly type: 'run-started'
  readonly run: string
  readonly workflow: string
  readonly experiment: string
  /** Every task of the workflow, with its place in the grid, in the order of the workflow. */
  readonly tasks: readonly TaskInfo[]
  /** Its sidecars, where it has several. */
  readonly workers?: readonly WorkerName[]
  readonly expected: RunTotals & {
    readonly seconds: number | null
    /** The forecast of each kind of work with something to do; some run side by side. */
    readonly secondsOfWork?: Readonly<Record<string, number>>
    readonly bytes: number
  }
}

export interface TaskInfo {
  readonly id: string
  /** Grid row (an organism, or the step's own name) and column (the stage). */
  readonly row: string
  readonly stage: string
  /** Its cells take as long as those of other tasks of this kind. Default: its stage. */
  readonly work?: string
  readonly cells: number
  readonly toRun: number
}

/** What the engine is busy with before or between tasks: "reading sources", "starting the sidecar". */
export interface Setup {
  readonly type: 'setup'
  readonly text: string
}

/** A task's parents are done, so its keys are known: how many cells are reused and how many must run. */
export interface TaskSettled {
  readonly type: 'task-settled'
  readonly task: string
  readonly cells: number
  readonly toRun: number
  /** It was expected to run, and turned out to be up to date: its parents gave the same digests. */
  readonly unchangedAfterAll: boolean
}

/** A task's first batch goes to work. */
export interface TaskStarted {
  readonly type: 'task-started'
  readonly task: string
  readonly reason: string
  readonly worker?: WorkerName
}

/** Progress within the batch that runs. */
export interface TaskProgress {
  readonly type: 'task-progress'
  readonly task: string
  readonly done: number
  readonly total: number
  /** Tokens so far in this batch. */
  readonly tokens: number
  readonly worker?: WorkerName
}

/** A batch is committed: it will not be lost. */
export interface BatchFinished {
  readonly type: 'batch-finished'
  readonly task: string
  readonly batch: number
  readonly batches: number
  readonly cells: number
  readonly tokens: number
  readonly bytes: number
  readonly seconds: number
  readonly worker?: WorkerName
}

export interface TaskFinished {
  readonly type: 'task-finished'
  readonly task: string
  readonly ran: number
  readonly reused: number
}

export interface TaskFailed {
  readonly type: 'task-failed'
  readonly task: string
  readonly message: string
  readonly log: string | null
}

/** A task that cannot run because a parent failed. */
export interface TaskBlocked {
  readonly type: 'task-blocked'
  readonly task: string
  readonly because: string
}

/** One cell could not be had; the others of its batch were kept. */
export interface CellFailed {
  readonly type: 'cell-failed'
  readonly task: string
  readonly cell: string
  readonly reason: string
}

export interface StateChanged {
  readonly type: 'state-changed'
  readonly change: 'base-loaded' | 'adapter-on' | 'adapter-off'
  readonly name: string
  readonly seconds: number
  readonly worker?: WorkerName
}

/** Which sidecar it is of; there where a run has several. */
export type WorkerName = string

/** A sidecar could not be had any more, and others do its work. */
export interface WorkerLost extends LostWorker {
  readonly type: 'worker-lost'
}

export interface LostWorker {
  readonly worker: WorkerName
  readonly message: string
}

/** What a task made was read by all that wanted it, and its bytes were given up. */
export interface GivenUp {
  readonly type: 'given-up'
  readonly task: string
  readonly bytes: number
}

/** A stored object was gone or damaged; it is in quarantine and what it held is made again. */
export interface ObjectLost {
  readonly type: 'object-lost'
  readonly object: Digest
  readonly detail: string
  readonly cells: number
}

export interface LogLine {
  readonly type: 'log'
  /** The task it belongs to; null for the engine or the sidecar as a whole. */
  readonly task: string | null
  readonly text: string
}

export interface StopRequested {
  readonly type: 'stop-requested'
  /** `drain` finishes and commits what runs, `now` ends it. */
  readonly how: 'drain' | 'now'
  /** Why, when nobody asked for it. */
  readonly because: string | null
}

export interface RunTotals {
  readonly tasks: { readonly total: number; readonly run: number; readonly reuse: number }
  readonly cells: { readonly total: number; readonly run: number; readonly reuse: number }
  readonly modelLoads: number
  readonly adapterSwitches: number
}

export interface RunFinished {
  readonly type: 'run-finished'
  readonly run: string
  readonly outcome: 'done' | 'failed' | 'stopped' | 'interrupted'
  readonly tasks: { readonly ran: number; readonly reused: number; readonly failed: number }
  readonly cells: { readonly ran: number; readonly reused: number; readonly failed: number }
  readonly modelLoads: number
  readonly adapterSwitches: number
  readonly unchangedAfterAll: number
  readonly seconds: number
  readonly bytes: number
  /** Bytes of what was read by all that wanted it, and given up. */
  readonly givenUp: number
  /** Most bytes of memory that the process with the model had at once; 0 when none ran or it cannot be seen. */
  readonly peakMemory: number
  /** Why the run stopped, when nobody asked for it. */
  readonly because: string | null
  /** First failure, to be read last. */
  readonly failure: { readonly task: string; readonly message: string; readonly log: string | null } | null
  /** Files that people look at, relative to the workspace: summaries and reports. */
  readonly look: readonly string[]
  /** What people should know of what was made, by step. */
  readonly remarks?: readonly Remark[]
  /** Sidecars without which it went on. */
  readonly lostWorkers?: readonly LostWorker[]
  /** Organisms that failed, so that rankings and reports were made without them. */
  readonly leftOut?: readonly string[]
}

export interface Remark {
  readonly step: string
  readonly text: string
}

/** For the end of a switch over a closed union. */
export function unreachable(value: never): never {
  throw new Error(`not expected: ${JSON.stringify(value)}`)
}
