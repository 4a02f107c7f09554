import path from 'node:path'
import type { Diagnostic } from '../core/diagnostic.ts'
import type { Digest } from '../core/digest.ts'
import type { ObjectLost, RunEvent, RunFinished } from '../core/events.ts'
import { fail, ok, type Result } from '../core/result.ts'
import { CorruptObject, type Task } from '../core/step-kind.ts'
import { type Forecast, forecast } from '../plan/forecast.ts'
import { modelsToLoad } from '../plan/memory.ts'
import { type Plan, plan as makePlan } from '../plan/plan.ts'
import type { Profile } from '../plan/profile.ts'
import { totalsOf } from '../plan/totals.ts'
import type { Prepared } from '../prepare.ts'
import { damagedObjects } from '../store/damaged-objects.ts'
import { discard } from '../store/durable.ts'
import { heldElsewhere } from '../store/held.ts'
import { createReader } from '../store/read.ts'
import { toBlob } from '../store/blob.ts'
import { clearStaging, type Store } from '../store/store.ts'
import { tokenLimits } from '../store/token-limits.ts'
import { commandExecutor } from './command-executor.ts'
import { engineExecutor } from './engine-executor.ts'
import { recordedFile } from './explaining.ts'
import { type Journal, openJournal } from './journal.ts'
import { endOrphans } from './orphans.ts'
import { diskProblems, experimentFolder, filesNeeded, folderProblems, memoryHere, memoryProblems } from './preflight.ts'
import { type ReasonRecorder, recordReasons } from './reasons.ts'
import { measuredHere, snapshotOf } from './record.ts'
import { type RunResult, run, type StopSignal, taskInfos, withTime } from './run.ts'
import type { SidecarCommand } from './sidecar.ts'
import { sidecarExecutor } from './sidecar-executor.ts'
import { roomWatch } from './room.ts'
import { recorderOf } from './stands-on.ts'
import { Tally } from './tally.ts'
import { type WithoutFailed, withoutFailed } from './without-failed.ts'
import { howFar, nothingShown, notesOf, showResults, type ShownResults } from './views.ts'

export interface SessionOptions {
  /** Of the run; the caller holds the store for it. */
  readonly id: string
  readonly prepared: Prepared
  readonly store: Store
  /** Folder that holds `experiments/`. */
  readonly workspace: string
  readonly sidecar: SidecarCommand
  readonly cores: number
  /** Objects that somebody may have written to: they are read before anything is planned. */
  readonly touched: readonly Digest[]
  /** Bytes of the store's disk that stay free. */
  readonly keepFree: number
  readonly stop: StopSignal
  /** A part of the workflow that shows no results and does not stand for it. */
  readonly slice: boolean
  onEvent(event: RunEvent): void
  now(): number
}

/** How a run ended, and the last plan it went by. */
export interface Ended {
  readonly finished: RunFinished
  readonly plan: Plan
}

/** So often objects that this very run made may be found damaged; more, and the disk fails. */
const mostAgain = 5

/**
 * Takes what a run lost and throws where a further plan is no use. Of what was there before the run, each object is lost
 * once at most, and made again.
 */
function disk(store: Store, id: string): { lost(objects: readonly Digest[]): void } {
  const made = store.db.prepare('SELECT 1 FROM unit_objects JOIN units ON units.id = unit WHERE object = ? AND run = ?')
  let again = 0
  return {
    lost(objects) {
      again += objects.filter((object) => made.get(toBlob(object), id)).length
      if (again > mostAgain)
        throw new Error(`what was just stored was found damaged ${again} times: the disk of ${store.layout.root} fails`)
    },
  }
}

/**
 * One run of a workflow: plans, refuses what cannot end well, does the work and shows the results.
 * The error holds every reason for which nothing was started.
 */
export async function runWorkflow(options: SessionOptions): Promise<Result<Ended, readonly Diagnostic[]>> {
  const { store, prepared } = options
  endOrphans(store.layout)
  clearStaging(store)
  const lost = (await damagedObjects(store.layout, options.touched)).map((object) =>
    loseObject(store, new CorruptObject(object, 'does not match its digest')),
  )
  const { plan, expected } = planNow(prepared, store)
  const refused = [
    ...(plan.tasks.some(({ toRun }) => toRun > 0) ? prepared.notReady : []),
    ...folderProblems(experimentFolder(options.workspace, prepared.workflow), plan.graph),
    ...diskProblems(store.layout.root, { bytes: expected.disk.peak.bytes, files: filesNeeded(plan) }, options.keepFree),
    ...memoryProblems(modelsToLoad(plan), memoryHere()),
  ]
  if (refused.length > 0) return fail(refused)
  const ended = await session(options, plan, expected, lost)
  if (ended.finished.outcome === 'done') discard(path.join(store.layout.staging, options.id))
  return ok(ended)
}

/** Takes a damaged object out of use, and says so. */
function loseObject(store: Store, { object, message }: CorruptObject): ObjectLost {
  return { type: 'object-lost', object, detail: message, cells: store.quarantine(object) }
}

/** `profile`: the machine that the forecast is for, where it is not this one. `times` as the forecast has it. */
export function planNow(
  prepared: Prepared,
  store: Store,
  profile: Profile | null = null,
  times?: (task: Task) => number,
): { plan: Plan; expected: Forecast } {
  const plan = makePlan(prepared.graph, snapshotOf(store))
  return { plan, expected: forecast(plan, measuredHere(store), profile, times) }
}

/** What a run did and what was done after it without the organisms that failed. */
function together(failed: RunResult['totals'], rest: RunResult['totals']): RunResult['totals'] {
  const { tasks, cells } = failed
  return {
    ...failed,
    tasks: { ...tasks, ran: tasks.ran + rest.tasks.ran },
    cells: { ...cells, ran: cells.ran + rest.cells.ran },
    seconds: failed.seconds + rest.seconds,
    bytes: failed.bytes + rest.bytes,
    givenUp: failed.givenUp + rest.givenUp,
  }
}

/** A run that was stopped while its results were shown. */
function stopped(result: RunResult, because: string | null): RunResult {
  return { ...result, totals: { ...result.totals, outcome: 'stopped', because } }
}

async function session(options: SessionOptions, firstPlan: Plan, expected: Forecast, found: readonly ObjectLost[]): Promise<Ended> {
  const { id, store, prepared, now } = options
  const nothingToDo = firstPlan.tasks.every(({ toRun }) => toRun === 0)
  let journal: Journal | null = nothingToDo ? null : openJournal(store.layout.runs, id)
  /** What a sidecar says while it ends is for the logs only. */
  let ended = false
  let modelLoads = 0
  let adapterSwitches = 0
  const emit = withTime((event) => {
    if (event.type === 'state-changed') {
      modelLoads += Number(event.change === 'base-loaded')
      adapterSwitches += Number(event.change === 'adapter-on')
    }
    journal?.event(event)
    if (!ended) options.onEvent(event)
    ended ||= event.type === 'run-finished'
  }, now)

  emit({
    type: 'run-started',
    run: id,
    workflow: prepared.workflow.name,
    experiment: prepared.workflow.experiment,
    tasks: taskInfos(firstPlan),
    expected: {
      ...totalsOf(firstPlan, expected),
      seconds: expected.seconds,
      secondsOfStage: Object.fromEntries(expected.secondsOfStage),
      bytes: expected.bytes,
    },
  })
  for (const event of found) emit(event)
  const standsOn = recorderOf(store, prepared.workflow, id, now)
  if (!nothingToDo) standsOn.started(firstPlan)
  let reasons: ReasonRecorder | null = null
  const tally = new Tally(now())
  const read = createReader(store.layout)
  const room = roomWatch(store.layout.root, options.keepFree)
  let others: ReadonlySet<Digest> | undefined
  const held = () => (others ??= heldElsewhere(store.layout, recordedFile(store, prepared.workflow)))
  const executors = {
    sidecar: sidecarExecutor({ ...options.sidecar, layout: store.layout, limits: tokenLimits(store), emit }),
    engine: engineExecutor(read),
    command: commandExecutor(store.layout, emit),
  }
  /** Makes what is to be made without the organisms that failed: rankings, reports. */
  const runRest = async (rest: WithoutFailed): Promise<{ plan: Plan; result: RunResult }> => {
    const { plan } = planNow(rest.prepared, store)
    const todo = new Set(plan.tasks.flatMap(({ task, toRun }) => (toRun > 0 ? [task.id] : [])))
    emit({ type: 'log', task: null, text: `going on without ${rest.leftOut.join(', ')}: ${[...todo].join(', ') || 'nothing to make'}` })
    const result = await run({
      ...options,
      workflow: prepared.workflow.name,
      plan,
      room,
      held,
      executors,
      tally: new Tally(now()),
      emit: (event) => ('task' in event && event.task !== null && !todo.has(event.task) ? undefined : emit(event)),
      onSettled: () => {},
      logOf: (task) => journal?.logOf(task) ?? null,
    })
    return { plan, result }
  }
  let leftOut: readonly string[] = []
  try {
    const view = {
      folder: experimentFolder(options.workspace, prepared.workflow),
      workflow: recordedFile(store, prepared.workflow),
    }
    let plan = firstPlan
    let result: RunResult | undefined
    let shown: ShownResults | undefined
    const { lost } = disk(store, id)
    for (let round = 0; !shown; round++) {
      if (round > 0) {
        plan = planNow(prepared, store).plan
        standsOn.started(plan)
        tally.nextRound()
      }
      const planned = plan
      if (planned.tasks.some(({ toRun }) => toRun > 0)) reasons ??= recordReasons(prepared, store, planned, id, now())
      result = await run({
        ...options,
        workflow: prepared.workflow.name,
        plan,
        room,
        held,
        executors,
        tally,
        emit,
        onSettled: (task) => reasons?.settled(task, planned),
        logOf: (task) => journal?.logOf(task) ?? null,
      })
      if (result.lost.length > 0 && !options.stop.requested) {
        lost(result.lost)
        continue
      }
      const rest = result.totals.outcome === 'failed' ? withoutFailed(prepared, tally.failedTasks) : null
      if (rest) {
        const ranked = await runRest(rest)
        plan = ranked.plan
        result = { ...result, settled: ranked.result.settled, totals: together(result.totals, ranked.result.totals) }
        leftOut = rest.leftOut
      }
      const { requested } = options.stop
      const showing = { onShown: howFar(emit, now), isStopped: () => options.stop.requested !== requested }
      try {
        shown = options.slice ? nothingShown : await showResults(store, plan, view, result.settled, read, showing)
        if (shown.cut && result.totals.outcome === 'done') result = stopped(result, options.stop.because)
      } catch (error) {
        const full = error instanceof CorruptObject ? null : room.blames(error)
        if (full !== null) {
          options.stop.drain(full)
          result = stopped(result, full)
          shown = nothingShown
          continue
        }
        if (!(error instanceof CorruptObject)) throw error
        journal ??= openJournal(store.layout.runs, id)
        emit(loseObject(store, error))
        if (options.stop.requested) shown = nothingShown
        else lost([error.object])
      }
    }
    const { totals } = result as RunResult
    reasons?.end(totals.outcome)
    for (const text of notesOf(shown, prepared.workflow.experiment)) emit({ type: 'log', task: null, text })
    if (totals.outcome === 'done' && !options.slice) standsOn.finished(plan)
    const look = shown.look.map((file) => path.join('experiments', prepared.workflow.experiment, file))
    const finished: RunFinished = {
      type: 'run-finished',
      ...totals,
      modelLoads,
      adapterSwitches,
      look,
      ...(leftOut.length > 0 ? { leftOut } : {}),
    }
    emit(finished)
    return { finished, plan }
  } finally {
    await Promise.all(Object.values(executors).map((executor) => executor.close()))
  }
}
