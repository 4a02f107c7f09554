import type { Task } from '../core/step-kind.ts'
import type { Lane, ScheduledTask } from './scheduler.ts'

export function scheduledTask(task: Task): ScheduledTask {
  const { state } = task
  return {
    id: task.id,
    lane: task.operation.runs.on as Lane,
    state: state ? { base: state.base.name, adapter: state.adapter?.name ?? null } : null,
    parents: task.parents.map((parent) => parent.task),
  }
}

/** One model at a time; the engine's own work one task at a time; programs of the user's as many as there are cores. */
export function laneCapacity(cores: number): Readonly<Record<Lane, number>> {
  return { sidecar: 1, engine: 1, command: cores }
}
