import type { Lane, ModelState } from './state.ts'

/** A batch that may run. */
export interface Ready {
  readonly task: string
  readonly batch: number
}

/** Batches of a task from one number up to another, which is left out. */
interface Range {
  readonly order: number
  readonly task: string
  from: number
  readonly to: number
}

/** What waits for a state, and the workers that may do it. */
export interface StateQueue {
  readonly key: string
  readonly state: ModelState
  readonly workers: readonly number[]
  /** Place in the workflow of the first task that waits. */
  readonly order: number
  /** Whether more than one batch waits. */
  readonly several: boolean
}

/** A task as far as its queue needs it; `needs` names its state. */
export interface Queued {
  readonly task: { readonly id: string; readonly lane: Lane; readonly state: ModelState | null; readonly workers: readonly number[] }
  readonly needs: string
  readonly order: number
}

/** Batches that may run, by lane or by the state they need; each queue in the order of the tasks. */
export class ReadyQueues {
  readonly #queues = new Map<string, { ranges: Range[]; state: ModelState | null; workers: readonly number[] }>()

  /** Batches `from` up to `to`, which is left out. */
  add({ task: { id: task, lane, state, workers }, needs, order }: Queued, from: number, to: number): void {
    const key = lane === 'sidecar' ? needs : lane
    let queue = this.#queues.get(key)
    if (!queue) this.#queues.set(key, (queue = { ranges: [], state: lane === 'sidecar' ? state : null, workers }))
    const { ranges } = queue
    let at = ranges.length
    const isBefore = (range: Range) => order < range.order || (order === range.order && from < range.from)
    while (at > 0 && isBefore(ranges[at - 1] as Range)) at--
    ranges.splice(at, 0, { order, task, from, to })
  }

  take(key: string): Ready | null {
    const queue = this.#queues.get(key)
    const head = queue?.ranges[0]
    if (!queue || !head) return null
    const ready = { task: head.task, batch: head.from++ }
    if (head.from === head.to) queue.ranges.shift()
    if (queue.ranges.length === 0) this.#queues.delete(key)
    return ready
  }

  /** States for which something waits. */
  *states(): Generator<StateQueue> {
    for (const [key, { ranges, state, workers }] of this.#queues) {
      const [first, second] = ranges
      if (state && first) yield { key, state, workers, order: first.order, several: second !== undefined || first.to - first.from > 1 }
    }
  }
}
