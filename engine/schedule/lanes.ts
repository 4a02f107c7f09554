import { deviceName, kindOfDevice } from '../core/device.ts'
import type { ModelSource } from '../core/sources.ts'
import type { Task } from '../core/step-kind.ts'
import type { ScheduledTask } from './scheduler.ts'
import type { Lane } from './state.ts'

/** A sidecar of its own that holds a model on a device. */
export interface Worker {
  /** Its device; of several on one device, the second is `cpu 2`. */
  readonly name: string
  readonly device: string
}

/** Work as far as it says where it may be done. */
type Placed = Pick<Task, 'state'>

/**
 * The workers that tasks ask for: one for each device that a model is on, and where a model names a device more than
 * once, as many there. Models on the same device take turns on it. Work without a model goes to any of them.
 */
export function workersOf(tasks: Iterable<Placed>): readonly Worker[] {
  const devices = new Map<string, { device: string; count: number }>()
  for (const named of deviceLists(tasks)) {
    for (const [place, those] of Map.groupBy(named, deviceName)) {
      const known = devices.get(place)
      if (known) known.count = Math.max(known.count, those.length)
      else devices.set(place, { device: those[0] as string, count: those.length })
    }
  }
  const workers = [...devices.values()].flatMap(({ device, count }) =>
    Array.from({ length: count }, (_, index): Worker => ({ name: index === 0 ? device : `${device} ${index + 1}`, device })),
  )
  return workers.length > 0 ? workers : [{ name: 'cpu', device: 'cpu' }]
}

function deviceLists(tasks: Iterable<Placed>): Iterable<readonly string[]> {
  const lists = new Map<string, readonly string[]>()
  for (const { state } of tasks) if (state) lists.set(state.base.name, state.base.devices)
  return lists.values()
}

/** How many workers of its kind a worker shares the machine's processor and memory with, itself among them. */
export function sideBySide({ device }: Worker, workers: readonly Worker[]): number {
  return workers.filter((other) => kindOfDevice(other.device) === kindOfDevice(device)).length
}

export function scheduledTasks(tasks: readonly Task[], workers: readonly Worker[]): ScheduledTask[] {
  const all = workers.map((_, index) => index)
  const ofBase = new Map<string, readonly number[]>()
  const workersOfBase = ({ name, devices }: ModelSource) => {
    const those = ofBase.get(name) ?? placesOf(devices, workers)
    ofBase.set(name, those)
    return those
  }
  return tasks.map(({ id, operation, state, parents }) => ({
    id,
    lane: operation.runs.on as Lane,
    state: state ? { base: state.base.name, adapter: state.adapter?.name ?? null } : null,
    workers: state ? workersOfBase(state.base) : all,
    parents: parents.map((parent) => parent.task),
  }))
}

/** Which of the workers are those of a model on these devices. */
function placesOf(devices: readonly string[], workers: readonly Worker[]): number[] {
  const left = Map.groupBy(devices, deviceName)
  return workers.flatMap(({ device }, index) => (left.get(deviceName(device))?.pop() === undefined ? [] : [index]))
}

/** A model at a time on each worker; the engine's own work one task at a time; programs of the user's as many as there are cores. */
export function laneCapacity(workers: readonly Worker[], cores: number): Readonly<Record<Lane, number>> {
  return { sidecar: workers.length, engine: 1, command: cores }
}
