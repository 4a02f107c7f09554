import type { LostWorker, Remark, RunEvent, RunFinished, RunStarted } from '../core/events.ts'
import type { Holding } from '../store/holdings.ts'

/** A run that came to no end of its own: it still runs, or its process was killed. */
export type Outcome = RunFinished['outcome'] | 'running' | 'killed'

/** A run in a line. */
export interface RunLine {
  readonly run: string
  readonly workflow: string
  /** Milliseconds since 1970. */
  readonly at: number
  readonly outcome: Outcome
  readonly seconds: number
  /** `reused` is null while a run has not come to its end. */
  readonly cells: { readonly ran: number; readonly reused: number | null; readonly failed: number | null }
}

/** What `dag show --json` prints. */
export interface StoreReport {
  readonly store: string
  /** The latest first. */
  readonly runs: readonly RunLine[]
  readonly operations: readonly Holding[]
  readonly objects: { readonly count: number; readonly bytes: number }
  /** What is noted of their cells: the database and the manifests. */
  readonly index: { readonly bytes: number }
}

/** What `dag show RUN --json` prints. */
export interface RunReport extends RunLine {
  readonly experiment: string
  readonly tasks: { readonly total: number; readonly done: number; readonly failed: number; readonly blocked: number }
  readonly steps: readonly RunStep[]
  readonly modelLoads: number
  readonly adapterSwitches: number
  /** Written by it. */
  readonly bytes: number
  readonly because: string | null
  readonly failures: readonly { readonly task: string; readonly message: string; readonly log: string | null }[]
  readonly failedCells: readonly { readonly task: string; readonly cell: string; readonly reason: string }[]
  readonly lostObjects: number
  /** What people should know of what it made. */
  readonly remarks: readonly Remark[]
  readonly lostWorkers: readonly LostWorker[]
  readonly look: readonly string[]
  /** What of it the store still holds. */
  readonly holds: readonly Holding[]
}

/** What a run did in a step. */
export interface RunStep {
  readonly step: string
  readonly made: number
  readonly failed: number
  readonly batches: number
  readonly tokens: number
  readonly bytes: number
  /** Of its batches, one after another. */
  readonly seconds: number
}

/** `made` is what the store holds of a run that did not come to its end. */
export function runLine(first: RunStarted & { at: number }, last: RunEvent, isRunning: boolean, made: () => number): RunLine {
  const { run, workflow, at } = first
  if (last.type === 'run-finished') return { run, workflow, at, outcome: last.outcome, seconds: last.seconds, cells: last.cells }
  const cells = { ran: made(), reused: null, failed: null }
  return { run, workflow, at, outcome: isRunning ? 'running' : 'killed', seconds: (last.at - at) / 1000, cells }
}

export function runReport(line: RunLine, events: readonly RunEvent[], holds: readonly Holding[]): RunReport {
  const of = <Type extends RunEvent['type']>(type: Type) =>
    events.filter((event): event is Extract<RunEvent, { type: Type }> => event.type === type)
  const [started] = of('run-started')
  const [ended] = of('run-finished')
  const stageOf = new Map(started?.tasks.map(({ id, stage }) => [id, stage]))
  const batches = Map.groupBy(of('batch-finished'), ({ task }) => stageOf.get(task) ?? task)
  const failedOnce = new Map(of('cell-failed').map(({ task, cell, reason }) => [`${task}:${cell}`, { task, cell, reason }]))
  const failedCells = [...failedOnce.values()]
  const failedBy = Map.groupBy(failedCells, ({ task }) => stageOf.get(task) ?? task)
  const steps = [...new Set([...stageOf.values(), ...batches.keys()])].flatMap((step): RunStep[] => {
    const made = batches.get(step) ?? []
    const failed = failedBy.get(step)?.length ?? 0
    const sum = (what: 'cells' | 'tokens' | 'bytes' | 'seconds') => made.reduce((total, batch) => total + batch[what], 0)
    const row = {
      step,
      made: sum('cells'),
      failed,
      batches: made.length,
      tokens: sum('tokens'),
      bytes: sum('bytes'),
      seconds: sum('seconds'),
    }
    return made.length > 0 || failed > 0 ? [row] : []
  })
  const failures = [...Map.groupBy(of('task-failed'), ({ task }) => task).values()].map((each) => {
    const { task, message, log } = each.at(-1) as (typeof each)[number]
    return { task, message, log }
  })
  const changes = of('state-changed')
  return {
    ...line,
    experiment: started?.experiment ?? '',
    tasks: {
      total: started?.tasks.length ?? 0,
      done: ended ? ended.tasks.ran + ended.tasks.reused : new Set(of('task-finished').map(({ task }) => task)).size,
      failed: failures.length,
      blocked: new Set(of('task-blocked').map(({ task }) => task)).size,
    },
    steps,
    modelLoads: changes.filter(({ change }) => change === 'base-loaded').length,
    adapterSwitches: changes.filter(({ change }) => change === 'adapter-on').length,
    bytes: steps.reduce((sum, { bytes }) => sum + bytes, 0),
    remarks: ended?.remarks ?? [],
    lostWorkers: of('worker-lost').map(({ worker, message }) => ({ worker, message })),
    because: ended?.because ?? null,
    failures,
    failedCells,
    lostObjects: of('object-lost').length,
    look: ended?.look ?? [],
    holds,
  }
}
