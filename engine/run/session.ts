import { statfsSync } from 'node:fs'
import path from 'node:path'
import type { Diagnostic } from '../core/diagnostic.ts'
import type { Digest } from '../core/digest.ts'
import type { ObjectLost, RunEvent, RunFinished } from '../core/events.ts'
import { fail, ok, type Result } from '../core/result.ts'
import { CorruptObject } from '../core/step-kind.ts'
import { type Forecast, forecast } from '../plan/forecast.ts'
import { type Plan, plan as makePlan } from '../plan/plan.ts'
import { totalsOf } from '../plan/totals.ts'
import type { Prepared } from '../prepare.ts'
import { damagedObjects } from '../store/damaged-objects.ts'
import { takeLock } from '../store/lock.ts'
import { createReader } from '../store/read.ts'
import { clearStaging, type Store } from '../store/store.ts'
import { commandExecutor } from './command-executor.ts'
import { engineExecutor } from './engine-executor.ts'
import { type Journal, openJournal } from './journal.ts'
import { endOrphans } from './orphans.ts'
import { type ReasonRecorder, recordReasons } from './reasons.ts'
import { ratesOf, snapshotOf } from './record.ts'
import { newRunId, type RunResult, run, type StopSignal, taskInfos, withTime } from './run.ts'
import { sidecarExecutor } from './sidecar-executor.ts'
import { recorderOf } from './stands-on.ts'
import { Tally } from './tally.ts'
import { showResults, type ShownResults } from './views.ts'

export interface SessionOptions {
  readonly prepared: Prepared
  readonly store: Store
  /** Folder that holds `experiments/`. */
  readonly workspace: string
  /** How the sidecar is started, and the folder of its package. */
  readonly sidecar: { readonly command: readonly string[]; readonly root: string }
  readonly cores: number
  /** Objects that somebody may have written to: they are read before anything is planned. */
  readonly touched: readonly Digest[]
  readonly stop: StopSignal
  onEvent(event: RunEvent): void
  now(): number
}

/** Room that is kept free beside what the run will write. */
const reserveBytes = 1e9

/** How often a run plans again after an object was found damaged. */
const rewinds = 5

/**
 * One run of a workflow: takes the store, plans, refuses what cannot end well, does the work and shows the results.
 * The error holds every reason for which nothing was started.
 */
export async function runWorkflow(options: SessionOptions): Promise<Result<RunFinished, readonly Diagnostic[]>> {
  const { store, prepared, now } = options
  const id = newRunId(now())
  const lock = takeLock(store.layout, `run ${id}`)
  if (!lock.ok)
    return fail([
      {
        severity: 'error',
        rule: 'locked',
        message: `the store ${store.layout.root} is in use by ${lock.error}`,
        hint: 'wait for it, or stop it',
      },
    ])
  try {
    endOrphans(store.layout)
    clearStaging(store)
    const lost = (await damagedObjects(store.layout, options.touched)).map((object) =>
      loseObject(store, new CorruptObject(object, 'does not match its digest')),
    )
    const { plan, expected } = planNow(prepared, store)
    const refused = [...(plan.tasks.some(({ toRun }) => toRun > 0) ? prepared.notReady : []), ...diskProblems(store, expected.bytes)]
    if (refused.length > 0) return fail(refused)
    return ok(await session(options, id, plan, expected, lost))
  } finally {
    lock.value.release()
  }
}

/** Takes a damaged object out of use, and says so. */
function loseObject(store: Store, { object, message }: CorruptObject): ObjectLost {
  return { type: 'object-lost', object, detail: message, cells: store.quarantine(object) }
}

export function planNow(prepared: Prepared, store: Store): { plan: Plan; expected: Forecast } {
  const plan = makePlan(prepared.graph, snapshotOf(store))
  return { plan, expected: forecast(plan, ratesOf(store)) }
}

/** Refuses a run that the disk cannot hold, before anything is started. */
function diskProblems(store: Store, bytes: number): Diagnostic[] {
  const { bavail, bsize } = statfsSync(store.layout.root)
  const free = bavail * bsize
  const needed = bytes + (bytes > 0 ? reserveBytes : 0)
  if (needed <= free) return []
  const gb = (value: number) => `${(value / 1e9).toFixed(1)} GB`
  const message = `the disk of ${store.layout.root} is too small: ${gb(free)} are free, ${gb(needed)} are needed (${gb(bytes)} of results and ${gb(reserveBytes)} in reserve)`
  return [
    {
      severity: 'error',
      rule: 'disk-full',
      message,
      hint: 'free some room, capture fewer layers, or put the store on another disk with --store',
    },
  ]
}

async function session(
  options: SessionOptions,
  id: string,
  firstPlan: Plan,
  expected: Forecast,
  lost: readonly ObjectLost[],
): Promise<RunFinished> {
  const { store, prepared, now } = options
  const nothingToDo = firstPlan.tasks.every(({ toRun }) => toRun === 0)
  let journal: Journal | null = nothingToDo ? null : openJournal(store.layout.runs, id)
  let modelLoads = 0
  let adapterSwitches = 0
  const emit = withTime((event) => {
    if (event.type === 'state-changed') {
      modelLoads += Number(event.change === 'base-loaded')
      adapterSwitches += Number(event.change === 'adapter-on')
    }
    journal?.event(event)
    options.onEvent(event)
  }, now)

  emit({
    type: 'run-started',
    run: id,
    workflow: prepared.workflow.name,
    experiment: prepared.workflow.experiment,
    tasks: taskInfos(firstPlan),
    expected: { ...totalsOf(firstPlan, expected), seconds: expected.seconds, bytes: expected.bytes },
  })
  for (const event of lost) emit(event)
  const standsOn = recorderOf(store, prepared.workflow, id, now)
  if (!nothingToDo) standsOn.started(firstPlan)
  let reasons: ReasonRecorder | null = null
  const tally = new Tally(now())
  const read = createReader(store.layout)
  const executors = {
    sidecar: sidecarExecutor({ ...options.sidecar, layout: store.layout, emit }),
    engine: engineExecutor(read),
    command: commandExecutor(store.layout, emit),
  }
  try {
    const folder = path.join(options.workspace, 'experiments', prepared.workflow.experiment)
    let plan = firstPlan
    let result: RunResult | undefined
    let shown: ShownResults | undefined
    for (let round = 0; round <= rewinds && !shown; round++) {
      if (round > 0) {
        plan = planNow(prepared, store).plan
        tally.nextRound()
      }
      const planned = plan
      if (planned.tasks.some(({ toRun }) => toRun > 0)) reasons ??= recordReasons(prepared, store, planned, id, now())
      result = await run({
        ...options,
        id,
        workflow: prepared.workflow.name,
        plan,
        executors,
        tally,
        emit,
        onSettled: (task) => reasons?.settled(task, planned),
        logOf: (task) => journal?.logOf(task) ?? null,
      })
      if (result.lost && !options.stop.requested) continue
      try {
        shown = await showResults(store, plan, folder, result.settled, read)
      } catch (error) {
        if (!(error instanceof CorruptObject)) throw error
        journal ??= openJournal(store.layout.runs, id)
        emit(loseObject(store, error))
        if (options.stop.requested) shown = { written: 0, keptAside: [], look: [] }
      }
    }
    if (!result || !shown)
      throw new Error(`stored objects were found damaged ${rewinds + 1} times over: the disk of ${store.layout.root} fails`)
    const { totals } = result
    reasons?.end(totals.outcome)
    for (const aside of shown.keptAside)
      emit({ type: 'log', task: null, text: `a result was edited by hand; the edited file is kept as ${aside}` })
    if (totals.outcome === 'done') standsOn.finished(plan)
    const look = shown.look.map((file) => path.join('experiments', prepared.workflow.experiment, file))
    const finished: RunFinished = { type: 'run-finished', ...totals, modelLoads, adapterSwitches, look }
    emit(finished)
    return finished
  } finally {
    await Promise.all(Object.values(executors).map((executor) => executor.close()))
  }
}
