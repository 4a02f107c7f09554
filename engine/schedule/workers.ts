import type { Ready, ReadyQueues, StateQueue } from './ready.ts'
import { type ModelState, noModel, type Transition } from './state.ts'

/** A batch for a worker, with what it must load or put on before it. */
export interface Pick {
  readonly worker: number
  readonly ready: Ready
  readonly transition: Transition | null
}

interface WorkerState {
  readonly index: number
  busy: boolean
  lost: boolean
  loaded: ModelState | null
  /** Names what is loaded. */
  key: string
  /** An adapter stays in memory while it is off, so putting it on again is no switch. */
  resident: string | null
}

/**
 * Sidecars, and which of them does what. The loaded state is the scarce resource: a base load costs far more than an
 * adapter switch, and that more than turning the adapter off. So work for what a worker has loaded goes first; before it
 * changes that, it waits for tasks of the same state whose keys are being computed. Another worker's state is taken to only
 * where nothing else is left, so that an adapter is put on once however many workers there are.
 */
export class Workers {
  readonly #workers: readonly WorkerState[]
  readonly #queues: ReadyQueues

  /** `lost`: those that cannot be had from the beginning. */
  constructor(count: number, queues: ReadyQueues, lost: ReadonlySet<number>) {
    const fresh = { busy: false, loaded: null, key: noModel, resident: null }
    this.#workers = Array.from({ length: count }, (_, index): WorkerState => ({ index, ...fresh, lost: lost.has(index) }))
    this.#queues = queues
  }

  get busy(): number {
    return this.#workers.reduce((sum, { busy }) => sum + Number(busy), 0)
  }

  free(worker: number): void {
    this.#of(worker).busy = false
  }

  /** Whether others can do all that this one may. `lists`: for each base the workers that it may be on. */
  canLose(worker: number, lists: Iterable<readonly number[]>): boolean {
    for (const list of lists) {
      if (list.includes(worker) && !list.some((other) => other !== worker && !this.#of(other).lost)) return false
    }
    return true
  }

  lose(worker: number): void {
    const gone = this.#of(worker)
    gone.busy = false
    gone.lost = true
    gone.loaded = null
    gone.key = noModel
  }

  /** The next batch for a worker that is free, null where there is none. `isSettling`: keys of tasks, of that state or of any, are being computed. */
  next(isSettling: (key?: string) => boolean): Pick | null {
    const free = this.#workers.filter(({ busy, lost }) => !busy && !lost)
    for (const worker of free) {
      const ready = worker.loaded ? this.#queues.take(worker.key) : null
      if (ready) return this.#begin(worker, ready, null)
    }
    for (const worker of free) {
      if (worker.loaded && isSettling(worker.key)) continue
      const stateless = this.#queues.take(noModel)
      if (stateless) return this.#begin(worker, stateless, null)
      const to = this.#cheapest(worker, !isSettling())
      if (to) return this.#begin(worker, this.#queues.take(to.key) as Ready, change(worker, to))
    }
    return null
  }

  #begin(worker: WorkerState, ready: Ready, transition: Transition | null): Pick {
    worker.busy = true
    return { worker: worker.index, ready, transition }
  }

  /**
   * The state with work that is cheapest to come to: adapter off, the one in memory, another adapter, another base; behind
   * all of them what another worker has loaded, where this one `shares`. A base is not loaded for the last batch of a worker
   * that has it.
   */
  #cheapest(worker: WorkerState, shares: boolean): StateQueue | null {
    let best: { queue: StateQueue; rank: number } | null = null
    for (const queue of this.#queues.states()) {
      if (!queue.workers.includes(worker.index)) continue
      const cost = costOf(worker, queue.state)
      const loads = worker.loaded?.base !== queue.state.base
      const isHeld = this.#workers.some((other) => other !== worker && other.loaded !== null && other.key === queue.key)
      if (isHeld && (!shares || (loads && !queue.several))) continue
      const rank = isHeld ? anotherBase + 1 + cost : cost
      if (!best || rank < best.rank || (rank === best.rank && queue.order < best.queue.order)) best = { queue, rank }
    }
    return best?.queue ?? null
  }

  #of(worker: number): WorkerState {
    return this.#workers[worker] as WorkerState
  }
}

const anotherBase = 3

function costOf({ loaded, resident }: WorkerState, { base, adapter }: ModelState): number {
  if (loaded && loaded.base !== base) return anotherBase
  return adapter === null ? 0 : adapter === resident ? 1 : 2
}

function change(worker: WorkerState, { key, state }: StateQueue): Transition {
  const loads = worker.loaded?.base !== state.base
  const switchesAdapter = state.adapter !== null && (loads || state.adapter !== worker.resident)
  worker.resident = state.adapter ?? (loads ? null : worker.resident)
  worker.loaded = state
  worker.key = key
  return { to: state, loadsBase: loads, switchesAdapter }
}
