import { ReadyQueues } from './ready.ts'
import { type Lane, type ModelState, stateKey, type Transition } from './state.ts'
import { Workers } from './workers.ts'

/** A task as far as scheduling needs it. */
export interface ScheduledTask {
  readonly id: string
  readonly lane: Lane
  /** What must be loaded, by name; null when no model is needed. */
  readonly state: ModelState | null
  /** Which sidecars may do it, by number. */
  readonly workers: readonly number[]
  readonly parents: readonly string[]
}

export type SchedulerEvent =
  | { readonly type: 'start' }
  /** A task's keys are known: so many batches must run. */
  | { readonly type: 'settled'; readonly task: string; readonly batches: number }
  | ({ readonly type: 'batch-done' } & Place)
  | ({ readonly type: 'batch-failed' } & Place)
  /** A batch came to nothing in a run that stops: neither done nor failed. */
  | ({ readonly type: 'batch-dropped' } & Place)
  /** A sidecar cannot be had any more; the batch that it was given is for another. */
  | ({ readonly type: 'worker-lost'; readonly batch: number } & Place)
  /** Dispatch nothing more. */
  | { readonly type: 'stop' }

/** Of a batch that runs: its task, and the worker that its dispatch named. */
interface Place {
  readonly task: string
  readonly worker: number
}

export type Command =
  /** Compute the task's keys and answer `settled`. */
  | { readonly type: 'settle'; readonly task: string }
  /** `worker`: of the lane; 0 where that has none. */
  | ({ readonly type: 'dispatch'; readonly batch: number; readonly transition: Transition | null } & Place)
  | { readonly type: 'finish'; readonly task: string }
  | { readonly type: 'fail'; readonly task: string }
  | { readonly type: 'block'; readonly task: string; readonly because: string }
  /** Nothing runs and nothing more can. */
  | { readonly type: 'idle' }

export interface Scheduler {
  next(event: SchedulerEvent): readonly Command[]
  /** Whether other sidecars can do all that this one may. */
  canLose(worker: number): boolean
}

interface TaskState {
  readonly task: ScheduledTask
  /** Names the state it needs. */
  readonly needs: string
  readonly order: number
  readonly children: TaskState[]
  waitsFor: number
  batchesLeft: number
  failed: boolean
  ended: boolean
}

/**
 * A state machine without I/O, promises or clock: events in, commands out. With real executors it is the run, with
 * a virtual clock the forecast. The cost of an event is proportional to the dependents it releases. What a sidecar does
 * next is for `Workers` to say. `lost`: sidecars that cannot be had from the beginning.
 */
export function createScheduler(
  tasks: readonly ScheduledTask[],
  capacity: Readonly<Record<Lane, number>>,
  lost: ReadonlySet<number> = new Set(),
): Scheduler {
  const states = link(tasks)
  const queues = new ReadyQueues()
  const lists = new Set(tasks.filter(({ lane }) => lane === 'sidecar').map((task) => task.workers))
  const workers = new Workers(capacity.sidecar, queues, lost)
  const running = { engine: 0, command: 0 }
  const settling = new Map<string, number>()
  let settlingTotal = 0
  let stopped = false
  let idle = false

  const settle = (state: TaskState): Command => {
    settling.set(state.needs, (settling.get(state.needs) ?? 0) + 1)
    settlingTotal++
    return { type: 'settle', task: state.task.id }
  }
  const end = (state: TaskState): Command[] => {
    state.ended = true
    if (state.failed) return [{ type: 'fail', task: state.task.id }, ...block(state, state.task.id)]
    const released: Command[] = []
    for (const child of state.children) if (--child.waitsFor === 0 && !child.ended) released.push(settle(child))
    return [{ type: 'finish', task: state.task.id }, ...released]
  }
  const block = (state: TaskState, because: string): Command[] =>
    state.children.flatMap((child) => {
      if (child.ended) return []
      child.ended = true
      return [{ type: 'block', task: child.task.id, because } as const, ...block(child, because)]
    })
  const free = ({ task: { lane } }: TaskState, worker: number): void => {
    if (lane === 'sidecar') workers.free(worker)
    else running[lane]--
  }
  const batchEnded = (state: TaskState, worker: number): Command[] => {
    free(state, worker)
    return --state.batchesLeft === 0 ? end(state) : []
  }

  function dispatch(): Command[] {
    const commands: Command[] = []
    if (stopped) return commands
    for (const lane of ['engine', 'command'] as const) {
      while (running[lane] < capacity[lane]) {
        const ready = queues.take(lane)
        if (!ready) break
        running[lane]++
        commands.push({ type: 'dispatch', ...ready, worker: 0, transition: null })
      }
    }
    const isSettling = (key?: string) => (key === undefined ? settlingTotal : (settling.get(key) ?? 0)) > 0
    for (let pick = workers.next(isSettling); pick; pick = workers.next(isSettling)) {
      const { ready, worker, transition } = pick
      commands.push({ type: 'dispatch', ...ready, worker, transition })
    }
    return commands
  }

  function take(event: SchedulerEvent): Command[] {
    switch (event.type) {
      case 'start':
        return stopped ? [] : [...states.values()].filter((state) => state.waitsFor === 0).map(settle)
      case 'settled': {
        const state = states.get(event.task) as TaskState
        settling.set(state.needs, (settling.get(state.needs) as number) - 1)
        settlingTotal--
        if (event.batches === 0) return end(state)
        state.batchesLeft = event.batches
        queues.add(state, 0, event.batches)
        return []
      }
      case 'batch-failed':
      case 'batch-done': {
        const state = states.get(event.task) as TaskState
        if (event.type === 'batch-failed') state.failed = true
        return batchEnded(state, event.worker)
      }
      case 'batch-dropped':
        free(states.get(event.task) as TaskState, event.worker)
        return []
      case 'worker-lost':
        workers.lose(event.worker)
        queues.add(states.get(event.task) as TaskState, event.batch, event.batch + 1)
        return []
      case 'stop':
        stopped = true
        return []
    }
  }

  return {
    next(event) {
      const commands = take(event)
      commands.push(...dispatch())
      const busy = workers.busy + running.engine + running.command + settlingTotal > 0
      if (!busy && !idle) {
        idle = true
        commands.push({ type: 'idle' })
      }
      return commands
    },
    canLose: (worker) => workers.canLose(worker, lists),
  }
}

function link(tasks: readonly ScheduledTask[]): Map<string, TaskState> {
  const states = new Map<string, TaskState>()
  for (const [order, task] of tasks.entries()) {
    const needs = stateKey(task.state)
    states.set(task.id, { task, needs, order, children: [], waitsFor: task.parents.length, batchesLeft: 0, failed: false, ended: false })
  }
  for (const state of states.values()) for (const parent of state.task.parents) states.get(parent)?.children.push(state)
  return states
}
