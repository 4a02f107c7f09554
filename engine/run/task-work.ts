import type { Task } from '../core/step-kind.ts'
import { rateProfile, workOf } from '../plan/forecast.ts'
import { batchCost, type PlannedTask } from '../plan/plan.ts'
import { type Batch, inputsOf, madeMeanwhile, missingBatches, type SettledTask, settleTask, withMade } from '../plan/settle.ts'
import type { Worker } from '../schedule/lanes.ts'
import type { Lane } from '../schedule/state.ts'
import { discard } from '../store/files/durable.ts'
import { stagingFolder } from '../store/store.ts'
import type { MadeCell, Outcome, Work } from './executors/work.ts'
import { givingUp } from './give-up.ts'
import { manifestOf, recordRate, recordTask, snapshotOf } from './record.ts'
import type { RunOptions } from './run-options.ts'

/** What a run knows of a task whose keys it has computed. */
interface Begun {
  batches: readonly Batch[]
  /** How many commits there were then. */
  readonly at: number
  /** Whether a batch of it went to work. */
  started: boolean
  readonly made: Map<string, MadeCell>
}

/** The tasks of a run: their keys are computed, their batches done and committed, and what is done of them is noted. */
export class TaskWork {
  readonly #options: RunOptions
  readonly #snapshot: ReturnType<typeof snapshotOf>
  readonly #giveUp: ReturnType<typeof givingUp>
  readonly #settled = new Map<string, SettledTask>()
  readonly #begun = new Map<string, Begun>()
  #commits = 0
  /** Whether a batch took cells over from another. */
  #moved = false
  #finished = 0
  /** Bytes that what runs may write, and the largest batch so far. */
  readonly #expected = { running: 0, largest: 0 }

  constructor(options: RunOptions) {
    this.#options = options
    this.#snapshot = snapshotOf(options.store)
    this.#giveUp = givingUp(options.plan, options.store, options.held)
  }

  /** How many tasks are done. */
  get finished(): number {
    return this.#finished
  }

  /** A task with its cells as they are now. */
  readonly settle = (id: string): SettledTask => {
    let result = this.#settled.get(id)
    if (!result) {
      const { plan } = this.#options
      const { task } = this.#planned(id)
      result = settleTask(task, inputsOf(task, this.settle), { snapshot: this.#snapshot, memory: plan.memory }, plan.wanted.get(id))
      this.#settled.set(id, result)
    }
    return result
  }

  /** Computes a task's keys now that its parents' outputs are known. Answers how many batches it has to do. */
  begin(id: string): number {
    const { plan } = this.#options
    const { task, deep, toRun, cells } = this.#planned(id)
    const upToDate = toRun === 0 && this.#snapshot.done(task, deep) !== null
    const found = upToDate ? null : this.settle(id)
    const batches = found ? missingBatches(found, inputsOf(task, this.settle)) : []
    this.#begun.set(id, { batches, at: this.#commits, started: false, made: new Map() })
    if (batches[0]) this.#expected.largest = Math.max(this.#expected.largest, batchCost(plan, batches[0]).bytes)
    this.#tell(id, found, { cells: found?.cells.length ?? cells, unchangedAfterAll: toRun > 0 && batches.length === 0 })
    return batches.length
  }

  /** Whether every cell of the batch was had. @throws what hindered it. */
  async doBatch(id: string, index: number, worker: number): Promise<boolean> {
    const { store, tally, emit } = this.#options
    const { task } = this.#planned(id)
    const begun = this.#begun.get(id) as Begun
    const on = this.#nameOf(task, worker)
    if (!begun.started) this.#start(id, begun, on)
    const batch = begun.batches[index] as Batch
    if (batch.cells.length === 0) return true
    const staging = stagingFolder(store, this.#options.id, `${tally.nextAttempt()}`)
    const from = performance.now()
    const outcome = await this.#commit({ task, inputs: inputsOf(task, this.settle), batch, staging, worker })
    for (const cell of outcome.cells) begun.made.set(cell.id, cell)
    discard(staging)
    const seconds = (performance.now() - from) / 1000
    this.#count(task, batch, outcome, seconds)
    const { cells } = outcome
    const tokens = cells.reduce((sum, cell) => sum + Number(cell.facts.response_tokens ?? 0), 0)
    const place = { batch: index + 1, batches: begun.batches.length }
    emit({ type: 'batch-finished', task: id, ...place, cells: cells.length, tokens, bytes: bytesOf(outcome), seconds, ...on })
    for (const { id: cell, reason } of outcome.failed) {
      tally.failure(id, `cell ${cell}: ${reason}`)
      emit({ type: 'cell-failed', task: id, cell, reason })
    }
    return outcome.failed.length === 0
  }

  /** Notes a task as done, and gives up what it was the last to read. */
  finish(id: string): void {
    const { plan, store, tally, emit } = this.#options
    const { made } = this.#begun.get(id) as Begun
    const { task, deep } = this.#planned(id)
    if (made.size > 0) this.#settled.set(id, withMade(this.settle(id), inputsOf(task, this.settle), plan.memory, made))
    this.#begun.delete(id)
    if (made.size > 0 || this.#snapshot.done(task, deep) === null)
      this.#noteIfRoom(() => recordTask(store, deep, this.settle(id), this.#moved))
    this.#finished++
    for (const { task: used, bytes } of this.#giveUp.finished(id)) {
      tally.givenUp(bytes)
      emit({ type: 'given-up', task: used, bytes })
    }
    emit({ type: 'task-finished', task: id, ran: tally.ranOf(id), reused: tally.reusedOf(id) })
  }

  /** Asks the run to stop before the disk is full. */
  stopIfShort(): void {
    const { stop, room } = this.#options
    const { running, largest } = this.#expected
    if (largest === 0 || stop.requested) return
    const because = room.short(running + largest)
    if (because !== null) stop.drain(because)
  }

  #planned(id: string): PlannedTask {
    return this.#options.plan.byId.get(id) as PlannedTask
  }

  /** Named where several sidecars are told apart. */
  #nameOf(task: Task, worker: number): { readonly worker?: string } {
    const { workers } = this.#options
    return task.operation.runs.on === 'sidecar' && workers.length > 1 ? { worker: (workers[worker] as Worker).name } : {}
  }

  #start(id: string, begun: Begun, on: { readonly worker?: string }): void {
    begun.started = true
    this.#takeOver(id, begun)
    const { task } = this.#planned(id)
    const settled = this.settle(id)
    if (settled.missing.length > 0) this.#options.emit({ type: 'task-started', task: id, reason: reasonOf(task, settled), ...on })
  }

  /** Takes over what other tasks have made since this one's keys were computed, such as the clean model's reading of the same answer. */
  #takeOver(id: string, begun: Begun): void {
    if (begun.at === this.#commits) return
    const before = this.settle(id)
    const found = madeMeanwhile(before, this.#snapshot)
    if (found.size === 0) return
    const now = withMade(before, inputsOf(this.#planned(id).task, this.settle), this.#options.plan.memory, found)
    this.#settled.set(id, now)
    begun.batches = begun.batches.map((batch) => ({ ...batch, cells: batch.cells.filter(({ spec }) => !found.has(spec.id)) }))
    this.#tell(id, now, { cells: now.cells.length, unchangedAfterAll: false })
  }

  async #commit(work: Work): Promise<Outcome> {
    const { plan, executors, store, id, workflow, now } = this.#options
    const { bytes } = batchCost(plan, work.batch)
    this.#expected.running += bytes
    const done = executors[work.task.operation.runs.on as Lane].execute(work)
    const outcome = await done.finally(() => (this.#expected.running -= bytes))
    this.#moved = store.commit(manifestOf(work, outcome, id, workflow, now()), work.staging, outcome.files) || this.#moved
    this.#commits++
    return outcome
  }

  #count(task: Task, batch: Batch, outcome: Outcome, seconds: number): void {
    const { plan, store, tally } = this.#options
    const cost = batchCost(plan, batch)
    const bytes = bytesOf(outcome)
    this.#expected.largest = Math.max(this.#expected.largest, cost.bytes, bytes)
    // Loads and switches are forecast for themselves.
    const worked = seconds - (outcome.readySeconds ?? 0)
    this.#noteIfRoom(() => recordRate(store, rateProfile(task), task.operation.name, workOf(task, cost, batch.cells.length), worked))
    tally.batch(task.id, outcome.cells.length, outcome.failed.length, bytes)
    tally.memory(outcome.peakMemory ?? 0)
  }

  #tell(id: string, found: SettledTask | null, { cells, unchangedAfterAll }: { cells: number; unchangedAfterAll: boolean }): void {
    const { tally, emit, onSettled } = this.#options
    if (found) this.#giveUp.serves(found)
    if (found) onSettled(found)
    const now = { cells, toRun: found?.missing.length ?? 0, unchangedAfterAll }
    tally.settled(id, now)
    emit({ type: 'task-settled', task: id, ...now })
  }

  /** Notes what speeds up later runs; a run that has no room for it stops. */
  #noteIfRoom(note: () => void): void {
    const { room, stop } = this.#options
    try {
      note()
    } catch (error) {
      const full = room.blames(error)
      if (full === null) throw error
      stop.drain(full)
    }
  }
}

function bytesOf({ files }: Outcome): number {
  return files.reduce((sum, file) => sum + file.bytes, 0)
}

function reasonOf(task: Task, settled: SettledTask): string {
  const { cells, missing } = settled
  const lost = missing.filter((cell) => cell.lost).length
  if (lost > 0) return `${lost} ${task.operation.counts.noun} were lost from the store`
  return missing.length === cells.length ? 'not made yet' : `${missing.length} of ${cells.length} cells are not made yet`
}
