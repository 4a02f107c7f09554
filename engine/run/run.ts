import { randomBytes } from 'node:crypto'
import type { Digest } from '../core/digest.ts'
import type { RunFact, RunFinished, TaskInfo } from '../core/events.ts'
import { CorruptObject, type Task } from '../core/step-kind.ts'
import { errorText } from '../core/system-error.ts'
import { rateProfile, workName, workOf } from '../plan/forecast.ts'
import { batchCost, type Plan, type PlannedTask } from '../plan/plan.ts'
import { type Batch, inputsOf, madeMeanwhile, missingBatches, type SettledTask, settleTask, withMade } from '../plan/settle.ts'
import { laneCapacity, scheduledTasks, type Worker } from '../schedule/lanes.ts'
import { type Command, createScheduler, type SchedulerEvent } from '../schedule/scheduler.ts'
import type { Lane } from '../schedule/state.ts'
import { discard } from '../store/files/durable.ts'
import { givingUp } from './give-up.ts'
import { type Store, stagingFolder } from '../store/store.ts'
import { manifestOf, recordRate, recordTask, snapshotOf } from './record.ts'
import type { RoomWatch } from './room.ts'
import type { Tally } from './tally.ts'
import { type Executor, type MadeCell, WorkerGone } from './executors/work.ts'

export interface RunOptions {
  readonly id: string
  readonly workflow: string
  readonly plan: Plan
  readonly store: Store
  readonly executors: Readonly<Record<Lane, Executor>>
  /** Those of the sidecars' lane. */
  readonly workers: readonly Worker[]
  readonly cores: number
  /** Objects that something else stands on, so that they are not given up after use. */
  held(): ReadonlySet<Digest>
  emit(fact: RunFact): void
  /** Path of a task's log, for the end of the run. */
  logOf(task: string): string | null
  /** Counts of the whole run, of which this is one round. */
  readonly tally: Tally
  /** A task's keys are known, and nothing of it is made yet. */
  onSettled(task: SettledTask): void
  /** Asks once before each decision whether to stop: `drain` lets what runs finish, `now` does not. */
  readonly stop: StopSignal
  readonly room: RoomWatch
  now(): number
}

export interface StopSignal {
  readonly requested: 'drain' | 'now' | null
  /** Why, when nobody asked for it. */
  readonly because: string | null
  /** Lets what runs finish, for a reason of the run's own; more of these change nothing. */
  drain(because: string): void
  /** Calls the listener for every request, also for one that was made before. Returns how to end that. */
  onRequest(listener: (how: 'drain' | 'now', because: string | null) => void): () => void
}

/** What a run did, and the objects that were lost on the way, so that planning must be done once more. */
export interface RunResult {
  readonly totals: Omit<RunFinished, 'type' | 'look' | 'modelLoads' | 'adapterSwitches'>
  readonly lost: readonly Digest[]
  /** A task with its cells as they are now. */
  settled(id: string): SettledTask
}

export function newRunId(now: number): string {
  return `${new Date(now).toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-')}-${randomBytes(2).toString('hex')}`
}

/** Carries out a plan: asks the scheduler, does what it commands, commits each batch. */
export async function run(options: RunOptions): Promise<RunResult> {
  const { plan, store, emit, executors, tally, workers } = options
  const { memory } = plan
  const snapshot = snapshotOf(store)
  const giveUp = givingUp(plan, store, options.held)
  const scheduler = createScheduler(
    scheduledTasks(
      plan.tasks.map(({ task }) => task),
      workers,
    ),
    laneCapacity(workers, options.cores),
  )
  const settled = new Map<string, SettledTask>()
  const batches = new Map<string, readonly Batch[]>()
  const made = new Map<string, Map<string, MadeCell>>()
  /** Tasks of which a batch went to work. */
  const begun = new Set<string>()
  let commits = 0
  /** How many commits there were when a task's keys were computed. */
  const settledAt = new Map<string, number>()
  const lost: Digest[] = []
  /** Whether a batch took cells over from another. */
  let moved = false
  let ended = 0
  /** Bytes that what runs may write, and the largest batch so far. */
  const expected = { running: 0, largest: 0 }

  const settle = (id: string): SettledTask => {
    let result = settled.get(id)
    if (!result) {
      const { task } = planned(id)
      result = settleTask(task, inputsOf(task, settle), { snapshot, memory }, plan.wanted.get(id))
      settled.set(id, result)
    }
    return result
  }
  const planned = (id: string): PlannedTask => plan.byId.get(id) as PlannedTask

  /** Computes a task's keys now that its parents' outputs are known. */
  const settleNow = (id: string): number => {
    const { task, deep, toRun, cells } = planned(id)
    const upToDate = toRun === 0 && snapshot.done(task, deep) !== null
    const found = upToDate ? null : settle(id)
    const todo = found ? missingBatches(found, inputsOf(task, settle)) : []
    batches.set(id, todo)
    if (todo[0]) expected.largest = Math.max(expected.largest, batchCost(plan, todo[0]).bytes)
    settledAt.set(id, commits)
    told(id, found, { cells: found?.cells.length ?? cells, unchangedAfterAll: toRun > 0 && todo.length === 0 })
    return todo.length
  }

  const told = (id: string, found: SettledTask | null, { cells, unchangedAfterAll }: { cells: number; unchangedAfterAll: boolean }) => {
    if (found) giveUp.serves(found)
    if (found) options.onSettled(found)
    const now = { cells, toRun: found?.missing.length ?? 0, unchangedAfterAll }
    tally.settled(id, now)
    emit({ type: 'task-settled', task: id, ...now })
  }

  /** Takes over what other tasks have made since this one's keys were computed, such as the clean model's reading of the same answer. */
  const takeOver = (id: string): void => {
    if (settledAt.get(id) === commits) return
    const before = settle(id)
    const found = madeMeanwhile(before, snapshot)
    if (found.size === 0) return
    const now = withMade(before, inputsOf(planned(id).task, settle), memory, found)
    settled.set(id, now)
    const rest = (batch: Batch): Batch => ({ ...batch, cells: batch.cells.filter(({ spec }) => !found.has(spec.id)) })
    batches.set(id, (batches.get(id) as readonly Batch[]).map(rest))
    told(id, now, { cells: now.cells.length, unchangedAfterAll: false })
  }

  const doBatch = async (id: string, index: number, worker: number): Promise<boolean> => {
    const { task } = planned(id)
    const isFirst = !begun.has(id)
    begun.add(id)
    if (isFirst) takeOver(id)
    const todo = batches.get(id) as readonly Batch[]
    const batch = todo[index] as Batch
    const name = task.operation.runs.on === 'sidecar' && workers.length > 1 ? { worker: (workers[worker] as Worker).name } : {}
    if (isFirst && settle(id).missing.length > 0) emit({ type: 'task-started', task: id, reason: reasonOf(task, settle(id)), ...name })
    if (batch.cells.length === 0) return true
    const staging = stagingFolder(store, options.id, `${tally.nextAttempt()}`)
    const from = performance.now()
    const work = { task, inputs: inputsOf(task, settle), batch, staging, worker }
    const cost = batchCost(plan, batch)
    expected.running += cost.bytes
    const outcome = await executors[task.operation.runs.on as Lane].execute(work).finally(() => (expected.running -= cost.bytes))
    const manifest = manifestOf(work, outcome, options.id, options.workflow, options.now())
    moved = store.commit(manifest, staging, outcome.files) || moved
    commits++
    const known = made.get(id) ?? new Map<string, MadeCell>()
    made.set(id, known)
    for (const cell of outcome.cells) known.set(cell.id, cell)
    discard(staging)
    const seconds = (performance.now() - from) / 1000
    const bytes = outcome.files.reduce((sum, file) => sum + file.bytes, 0)
    expected.largest = Math.max(expected.largest, cost.bytes, bytes)
    // Loads and switches are forecast for themselves.
    const worked = seconds - (outcome.readySeconds ?? 0)
    noteIfRoom(() => recordRate(store, rateProfile(task), task.operation.name, workOf(task, cost, batch.cells.length), worked))
    tally.batch(id, outcome.cells.length, outcome.failed.length, bytes)
    tally.memory(outcome.peakMemory ?? 0)
    const tokens = outcome.cells.reduce((sum, cell) => sum + Number(cell.facts.response_tokens ?? 0), 0)
    emit({
      type: 'batch-finished',
      task: id,
      batch: index + 1,
      batches: todo.length,
      cells: outcome.cells.length,
      tokens,
      bytes,
      seconds,
      ...name,
    })
    for (const { id: cell, reason } of outcome.failed) {
      tally.failure(id, `cell ${cell}: ${reason}`)
      emit({ type: 'cell-failed', task: id, cell, reason })
    }
    return outcome.failed.length === 0
  }

  const finish = (id: string): void => {
    const cells = made.get(id)
    const { task, deep } = planned(id)
    if (cells) settled.set(id, withMade(settle(id), inputsOf(task, settle), memory, cells))
    made.delete(id)
    batches.delete(id)
    if (cells || snapshot.done(task, deep) === null) noteIfRoom(() => recordTask(store, deep, settle(id), moved))
    ended++
    for (const { task: used, bytes } of giveUp.finished(id)) {
      tally.givenUp(bytes)
      emit({ type: 'given-up', task: used, bytes })
    }
    emit({ type: 'task-finished', task: id, ran: tally.ranOf(id), reused: tally.reusedOf(id) })
  }

  /** Notes what speeds up later runs; a run that has no room for it stops. */
  const noteIfRoom = (note: () => void): void => {
    try {
      note()
    } catch (error) {
      const full = options.room.blames(error)
      if (full === null) throw error
      options.stop.drain(full)
    }
  }
  const stopIfShort = (): void => {
    if (expected.largest === 0 || options.stop.requested) return
    const because = options.room.short(expected.running + expected.largest)
    if (because !== null) options.stop.drain(because)
  }

  let forget = (): void => {}
  await new Promise<void>((resolve, reject) => {
    const queue: SchedulerEvent[] = []
    let draining = false
    const send = (event: SchedulerEvent): void => {
      if (event.type === 'stop') queue.unshift(event)
      else queue.push(event)
      if (draining) return
      draining = true
      try {
        for (;;) {
          stopIfShort()
          const next = queue.shift()
          if (!next) break
          for (const command of scheduler.next(next)) carryOut(command)
        }
      } catch (error) {
        reject(error as Error)
      } finally {
        draining = false
      }
    }
    const carryOut = (command: Command): void => {
      switch (command.type) {
        case 'settle':
          send({ type: 'settled', task: command.task, batches: settleNow(command.task) })
          return
        case 'dispatch':
          void dispatch(command)
          return
        case 'finish':
          finish(command.task)
          return
        case 'fail':
          emit({ type: 'task-failed', task: command.task, message: tally.failureOf(command.task), log: options.logOf(command.task) })
          return
        case 'block':
          tally.blocked(command.task)
          emit({ type: 'task-blocked', task: command.task, because: command.because })
          return
        case 'idle':
          resolve()
      }
    }
    const dispatch = async ({ task, batch, worker }: Command & { readonly type: 'dispatch' }): Promise<void> => {
      try {
        send({ type: (await doBatch(task, batch, worker)) ? 'batch-done' : 'batch-failed', task, worker })
      } catch (thrown) {
        const error = thrown instanceof WorkerGone ? thrown.cause : thrown
        if (options.stop.requested === 'now') return send({ type: 'batch-failed', task, worker })
        const full = error instanceof CorruptObject ? null : options.room.blames(error)
        if (full !== null) {
          options.stop.drain(full)
          return send({ type: 'batch-dropped', task, worker })
        }
        if (thrown instanceof WorkerGone && scheduler.canLose(worker)) {
          emit({ type: 'worker-lost', worker: (workers[worker] as Worker).name, message: errorText(error) })
          return send({ type: 'worker-lost', task, batch, worker })
        }
        if (error instanceof CorruptObject) {
          const cells = store.quarantine(error.object)
          lost.push(error.object)
          emit({ type: 'object-lost', object: error.object, detail: error.message, cells })
          send({ type: 'stop' })
        }
        tally.failure(task, errorText(error))
        send({ type: 'batch-failed', task, worker })
      }
    }
    forget = options.stop.onRequest((how, because) => {
      emit({ type: 'stop-requested', how, because })
      send({ type: 'stop' })
      if (how === 'now') for (const executor of Object.values(executors)) executor.kill()
    })
    send({ type: 'start' })
  }).finally(() => forget())

  const { requested, because } = options.stop
  const stopped = requested !== null && ended < plan.tasks.length
  const outcome =
    stopped && requested === 'now' ? 'interrupted' : tally.failed > 0 && lost.length === 0 ? 'failed' : stopped ? 'stopped' : 'done'
  const totals = {
    run: options.id,
    outcome,
    because: stopped ? because : null,
    ...tally.totals(options.now(), options.logOf),
  } as const
  return { totals, lost, settled: settle }
}

/** The grid and the expectations that a run starts with. */
export function taskInfos(plan: Plan): TaskInfo[] {
  return plan.tasks.map(({ task, cells, toRun }) => ({
    id: task.id,
    row: task.row,
    stage: task.stage,
    work: workName(task),
    cells,
    toRun,
  }))
}

function reasonOf(task: Task, settled: SettledTask): string {
  const { cells, missing } = settled
  const lost = missing.filter((cell) => cell.lost).length
  if (lost > 0) return `${lost} ${task.operation.counts.noun} were lost from the store`
  return missing.length === cells.length ? 'not made yet' : `${missing.length} of ${cells.length} cells are not made yet`
}
