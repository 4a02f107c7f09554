import path from 'node:path'
import type { Digest } from '../core/digest.ts'
import type { ObjectLost, RunEvent, RunFact, RunFinished } from '../core/events.ts'
import { FailingDisk } from '../core/system-error.ts'
import { CorruptObject, type Reader } from '../core/step-kind.ts'
import type { Forecast } from '../plan/forecast.ts'
import { hasWork, type Plan } from '../plan/plan.ts'
import { totalsOf } from '../plan/totals.ts'
import type { Prepared } from '../prepare.ts'
import { toBlob } from '../store/index/blob.ts'
import { heldElsewhere } from '../store/gc/held.ts'
import { createReader } from '../store/read.ts'
import type { Store } from '../store/store.ts'
import { tokenLimits } from '../store/token-limits.ts'
import { commandExecutor } from './executors/command-executor.ts'
import { engineExecutor } from './executors/engine-executor.ts'
import { recordedFile } from './explaining.ts'
import { type Planned, planNow } from './plan-now.ts'
import { experimentFolder } from './preflight.ts'
import { type ReasonRecorder, recordReasons } from './reasons.ts'
import { remarksOfRun } from './remarks.ts'
import { type RoomWatch, roomWatch } from './room.ts'
import { type RunResult, run, taskInfos } from './run.ts'
import type { RunOptions, StopSignal } from './run-options.ts'
import type { SidecarCommand } from './executors/sidecar.ts'
import { type Worker, workersOf } from '../schedule/lanes.ts'
import { workerPool } from './executors/worker-pool.ts'
import { recorderOf } from './stands-on.ts'
import { Tally } from './tally.ts'
import { Teller } from './teller.ts'
import { howFar, nothingShown, notesOf, showResults, type ShownResults } from './views.ts'
import { type WithoutFailed, withoutFailed } from './without-failed.ts'

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
  /** Makes the plan that the run begins with. */
  planFirst(prepared: Prepared, store: Store): Promise<Planned>
}

/** How a run ended, and the last plan it went by. */
export interface Ended {
  readonly finished: RunFinished
  readonly plan: Plan
}

/** What was worked on, by which plan, and without which organisms. */
interface Worked {
  readonly plan: Plan
  readonly result: RunResult
  readonly leftOut: readonly string[]
}

type Shown = Worked & { readonly shown: ShownResults }

/**
 * A run from its first event to its last. It plans, works and shows in rounds: where something that was there before is
 * found lost or damaged, a further round makes it again.
 */
export class Session {
  readonly #options: SessionOptions
  readonly #teller: Teller
  readonly #tally: Tally
  readonly #room: RoomWatch
  readonly #read: Reader
  readonly #workers: readonly Worker[]
  readonly #lostWorkers = new Set<number>()
  readonly #executors: RunOptions['executors']
  readonly #standsOn: ReturnType<typeof recorderOf>
  readonly #losses: Losses
  #reasons: ReasonRecorder | null = null
  #held: ReadonlySet<Digest> | null = null

  constructor(options: SessionOptions) {
    const { id, store, prepared, now } = options
    this.#options = options
    this.#teller = new Teller(store.layout, id, options)
    this.#tally = new Tally(now())
    this.#room = roomWatch(store.layout.root, options.keepFree)
    this.#read = createReader(store.layout)
    const { emit } = this.#teller
    this.#workers = workersOf(prepared.graph.tasks)
    this.#executors = {
      sidecar: workerPool(this.#workers, {
        ...options.sidecar,
        layout: store.layout,
        limits: tokenLimits(store),
        isUnchanged: prepared.isUnchanged,
        emit,
      }),
      engine: engineExecutor(this.#read, emit),
      command: commandExecutor(store.layout, emit),
    }
    this.#standsOn = recorderOf(store, prepared.workflow, id, now)
    this.#losses = new Losses(store, id)
  }

  /** `found`: what was lost before the run has planned. */
  async run(firstPlan: Plan, expected: Forecast, found: readonly ObjectLost[]): Promise<Ended> {
    const nothingToDo = !hasWork(firstPlan)
    if (!nothingToDo) this.#teller.keepJournal()
    this.#teller.emit(this.#started(firstPlan, expected))
    for (const event of found) this.#teller.emit(event)
    if (!nothingToDo) this.#standsOn.started(firstPlan)
    try {
      for (let plan = firstPlan; ; plan = this.#planAgain()) {
        const worked = await this.#work(plan)
        const shown = worked && (await this.#show(worked))
        if (shown) return this.#end(shown)
      }
    } finally {
      await Promise.all(Object.values(this.#executors).map((executor) => executor.close()))
    }
  }

  #started(plan: Plan, expected: Forecast): RunFact {
    const { workflow } = this.#options.prepared
    return {
      type: 'run-started',
      run: this.#options.id,
      workflow: workflow.name,
      experiment: workflow.experiment,
      tasks: taskInfos(plan),
      ...(this.#workers.length > 1 ? { workers: this.#workers.map(({ name }) => name) } : {}),
      expected: {
        ...totalsOf(plan, expected),
        seconds: expected.seconds,
        secondsOfWork: Object.fromEntries(expected.secondsOfWork),
        bytes: expected.bytes,
      },
    }
  }

  #planAgain(): Plan {
    const { plan } = planNow(this.#options.prepared, this.#options.store)
    this.#standsOn.started(plan)
    this.#tally.nextRound()
    return plan
  }

  /** Null where something was lost, so that there is a plan to be made once more. */
  async #work(plan: Plan): Promise<Worked | null> {
    const { id, prepared, store, stop, now } = this.#options
    if (hasWork(plan)) this.#reasons ??= recordReasons(prepared, store, plan, id, now())
    const result = await this.#run(plan, {
      tally: this.#tally,
      emit: this.#teller.emit,
      onSettled: (task) => this.#reasons?.settled(task, plan),
    })
    if (result.lost.length > 0 && !stop.requested) {
      this.#losses.add(result.lost)
      return null
    }
    const rest = result.totals.outcome === 'failed' ? withoutFailed(prepared, this.#tally.failedTasks) : null
    return rest ? await this.#goOn(rest, result) : { plan, result, leftOut: [] }
  }

  /** Makes what is to be made without the organisms that failed: rankings, reports. */
  async #goOn({ prepared, leftOut }: WithoutFailed, failed: RunResult): Promise<Worked> {
    const { plan } = planNow(prepared, this.#options.store)
    const todo = new Set(plan.tasks.flatMap(({ task, toRun }) => (toRun > 0 ? [task.id] : [])))
    const { emit } = this.#teller
    emit({ type: 'log', task: null, text: `going on without ${leftOut.join(', ')}: ${[...todo].join(', ') || 'nothing to make'}` })
    const result = await this.#run(plan, {
      tally: new Tally(this.#options.now()),
      emit: (event) => ('task' in event && event.task !== null && !todo.has(event.task) ? undefined : emit(event)),
      onSettled: () => {},
    })
    return { plan, result: { ...failed, settled: result.settled, totals: together(failed.totals, result.totals) }, leftOut }
  }

  #run(plan: Plan, how: Pick<RunOptions, 'tally' | 'emit' | 'onSettled'>): Promise<RunResult> {
    const { prepared, store } = this.#options
    return run({
      ...this.#options,
      ...how,
      workflow: prepared.workflow.name,
      plan,
      room: this.#room,
      held: () => (this.#held ??= heldElsewhere(store.layout, recordedFile(store, prepared.workflow))),
      executors: this.#executors,
      workers: this.#workers,
      lostWorkers: this.#lostWorkers,
      logOf: (task) => this.#teller.logOf(task),
    })
  }

  /** Null where a result was found damaged, so that there is a plan to be made once more. */
  async #show(worked: Worked): Promise<Shown | null> {
    const { store, prepared, workspace, slice, stop, now } = this.#options
    if (slice) return { ...worked, shown: nothingShown }
    const { plan, result } = worked
    const view = { folder: experimentFolder(workspace, prepared.workflow), workflow: recordedFile(store, prepared.workflow) }
    const { requested } = stop
    const showing = { onShown: howFar(this.#teller.emit, now), isStopped: () => stop.requested !== requested }
    try {
      const shown = await showResults(store, plan, view, result.settled, this.#read, showing)
      const isCut = shown.cut && result.totals.outcome === 'done'
      return { ...worked, shown, result: isCut ? stopped(result, stop.because) : result }
    } catch (error) {
      if (error instanceof CorruptObject) {
        this.#teller.keepJournal()
        this.#teller.emit(loseObject(store, error))
        if (stop.requested) return { ...worked, shown: nothingShown }
        this.#losses.add([error.object])
        return null
      }
      const full = this.#room.blames(error)
      if (full === null) throw error
      stop.drain(full)
      return { ...worked, shown: nothingShown, result: stopped(result, full) }
    }
  }

  #end({ plan, result: { totals }, shown, leftOut }: Shown): Ended {
    const { experiment } = this.#options.prepared.workflow
    this.#reasons?.end(totals.outcome)
    for (const text of notesOf(shown, experiment)) this.#teller.emit({ type: 'log', task: null, text })
    if (totals.outcome === 'done' && !this.#options.slice) this.#standsOn.finished(plan)
    const remarks = remarksOfRun(this.#options.store, this.#options.id, plan.graph.tasks)
    const finished: RunFinished = {
      type: 'run-finished',
      ...totals,
      ...this.#teller.loads,
      ...(this.#teller.lostWorkers.length > 0 ? { lostWorkers: this.#teller.lostWorkers } : {}),
      look: shown.look.map((file) => path.join('experiments', experiment, file)),
      ...(leftOut.length > 0 ? { leftOut } : {}),
      ...(remarks.length > 0 ? { remarks } : {}),
    }
    this.#teller.emit(finished)
    return { finished, plan }
  }
}

/** So often objects that this very run made may be found damaged; more, and the disk fails. */
const mostAgain = 5

/**
 * What a run has lost. Of what was there before the run, each object is lost once at most, and made again; where what it
 * made itself is lost over and over, a further plan is no use.
 */
class Losses {
  readonly #store: Store
  readonly #id: string
  #again = 0

  /** `id`: of the run. */
  constructor(store: Store, id: string) {
    this.#store = store
    this.#id = id
  }

  /** @throws FailingDisk where another plan is no use. */
  add(objects: readonly Digest[]): void {
    const { db, layout } = this.#store
    const made = db.prepare('SELECT 1 FROM unit_objects JOIN units ON units.id = unit WHERE object = ? AND run = ?')
    this.#again += objects.filter((object) => made.get(toBlob(object), this.#id)).length
    if (this.#again > mostAgain) throw new FailingDisk(`what was just stored in ${layout.root} was found damaged ${this.#again} times`)
  }
}

/** Takes a damaged object out of use, and says so. */
export function loseObject(store: Store, { object, message }: CorruptObject): ObjectLost {
  return { type: 'object-lost', object, detail: message, cells: store.quarantine(object) }
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
