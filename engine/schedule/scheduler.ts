/** Where work is done: the sidecar, the engine's own process, or a program of the user's. */
export type Lane = 'sidecar' | 'engine' | 'command'

/** A task as far as scheduling needs it. */
export interface ScheduledTask {
  readonly id: string
  readonly lane: Lane
  /** What must be loaded, by name; null when no model is needed. */
  readonly state: ModelState | null
  readonly parents: readonly string[]
}

export interface ModelState {
  readonly base: string
  readonly adapter: string | null
}

export type SchedulerEvent =
  | { readonly type: 'start' }
  /** A task's keys are known: so many batches must run. */
  | { readonly type: 'settled'; readonly task: string; readonly batches: number }
  | { readonly type: 'batch-done'; readonly task: string }
  | { readonly type: 'batch-failed'; readonly task: string }
  /** A batch came to nothing in a run that stops: neither done nor failed. */
  | { readonly type: 'batch-dropped'; readonly task: string }
  /** Dispatch nothing more. */
  | { readonly type: 'stop' }

export type Command =
  /** Compute the task's keys and answer `settled`. */
  | { readonly type: 'settle'; readonly task: string }
  | { readonly type: 'dispatch'; readonly task: string; readonly batch: number; readonly transition: Transition | null }
  | { readonly type: 'finish'; readonly task: string }
  | { readonly type: 'fail'; readonly task: string }
  | { readonly type: 'block'; readonly task: string; readonly because: string }
  /** Nothing runs and nothing more can. */
  | { readonly type: 'idle' }

/** What must be loaded or put on before a batch, and what that counts as. */
export interface Transition {
  readonly to: ModelState
  readonly loadsBase: boolean
  readonly switchesAdapter: boolean
}

export interface Scheduler {
  next(event: SchedulerEvent): readonly Command[]
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
 * a virtual clock the forecast. The cost of an event is proportional to the dependents it releases.
 *
 * The loaded state is the scarce resource: a base load costs far more than an adapter switch, and that more than
 * turning the adapter off. So work for what is loaded goes first; before changing it, the scheduler waits for
 * tasks of the same state whose keys are being computed.
 */
export function createScheduler(tasks: readonly ScheduledTask[], capacity: Readonly<Record<Lane, number>>): Scheduler {
  const states = link(tasks)
  const queues = new ReadyQueues()
  const running: Record<Lane, number> = { sidecar: 0, engine: 0, command: 0 }
  const settling = new Map<string, number>()
  let settlingTotal = 0
  let loaded: ModelState | null = null
  let loadedKey = noModel
  /** An adapter stays in memory while it is off, so putting it on again is no switch. */
  let resident: string | null = null
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
  const batchEnded = (state: TaskState): Command[] => {
    running[state.task.lane]--
    return --state.batchesLeft === 0 ? end(state) : []
  }

  function pickForSidecar(): { ready: Ready; transition: Transition | null } | null {
    const current = loaded ? queues.take(loadedKey) : null
    if (current) return { ready: current, transition: null }
    if (loaded && settling.get(loadedKey)) return null
    const stateless = queues.take(noModel)
    if (stateless) return { ready: stateless, transition: null }
    const to = queues.cheapestState(loaded, resident)
    if (!to) return null
    const transition: Transition = {
      to,
      loadsBase: loaded?.base !== to.base,
      switchesAdapter: to.adapter !== null && (loaded?.base !== to.base || to.adapter !== resident),
    }
    if (transition.loadsBase) resident = null
    resident = to.adapter ?? resident
    loaded = to
    loadedKey = stateKey(to)
    return { ready: queues.take(loadedKey) as Ready, transition }
  }

  function dispatch(): Command[] {
    const commands: Command[] = []
    if (stopped) return commands
    const start = (lane: Lane, ready: Ready, transition: Transition | null): void => {
      running[lane]++
      commands.push({ type: 'dispatch', task: ready.task, batch: ready.batch, transition })
    }
    for (const lane of ['engine', 'command'] as const) {
      while (running[lane] < capacity[lane]) {
        const ready = queues.take(lane)
        if (!ready) break
        start(lane, ready, null)
      }
    }
    while (running.sidecar < capacity.sidecar) {
      const pick = pickForSidecar()
      if (!pick) break
      start('sidecar', pick.ready, pick.transition)
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
        queues.add(state, event.batches)
        return []
      }
      case 'batch-failed':
      case 'batch-done': {
        const state = states.get(event.task) as TaskState
        if (event.type === 'batch-failed') state.failed = true
        return batchEnded(state)
      }
      case 'batch-dropped':
        running[(states.get(event.task) as TaskState).task.lane]--
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
      const busy = running.sidecar + running.engine + running.command + settlingTotal > 0
      if (!busy && !idle) {
        idle = true
        commands.push({ type: 'idle' })
      }
      return commands
    },
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

interface Ready {
  readonly task: string
  readonly batch: number
}

/** Batches that may run, by lane or by the state they need; each queue in the order of the tasks. */
class ReadyQueues {
  readonly #queues = new Map<string, { items: { order: number; task: string; batch: number; of: number }[]; state: ModelState | null }>()

  add({ task, needs, order }: TaskState, batches: number): void {
    const key = task.lane === 'sidecar' ? needs : task.lane
    let queue = this.#queues.get(key)
    if (!queue) {
      queue = { items: [], state: task.lane === 'sidecar' ? task.state : null }
      this.#queues.set(key, queue)
    }
    let at = queue.items.length
    while (at > 0 && (queue.items[at - 1] as { order: number }).order > order) at--
    queue.items.splice(at, 0, { order, task: task.id, batch: 0, of: batches })
  }

  take(key: string): Ready | null {
    const queue = this.#queues.get(key)
    const head = queue?.items[0]
    if (!queue || !head) return null
    const ready = { task: head.task, batch: head.batch++ }
    if (head.batch === head.of) queue.items.shift()
    if (queue.items.length === 0) this.#queues.delete(key)
    return ready
  }

  /** The state with work that is cheapest to reach: adapter off, the one in memory, another adapter, another base. */
  cheapestState(loaded: ModelState | null, resident: string | null): ModelState | null {
    let best: { state: ModelState; rank: number; order: number } | null = null
    for (const { state, items } of this.#queues.values()) {
      if (!state) continue
      const sameBase = loaded === null || state.base === loaded.base
      const rank = !sameBase ? 3 : state.adapter === null ? 0 : state.adapter === resident ? 1 : 2
      const order = (items[0] as { order: number }).order
      if (!best || rank < best.rank || (rank === best.rank && order < best.order)) best = { state, rank, order }
    }
    return best?.state ?? null
  }
}

const noModel = 'no model'

function stateKey(state: ModelState | null): string {
  return state ? JSON.stringify([state.base, state.adapter]) : noModel
}
