import type { Json } from '../../engine/core/json.ts'
import type { Task } from '../../engine/core/step-kind.ts'

/** The folder of an experiment in which a rank step shows what it makes. */
export function rankingsFolder(task: Task): string {
  return `analysis/${task.data.folder as string}`
}

/** JSON as people read it. */
export function pretty(value: Json): string {
  return `${JSON.stringify(value, null, 1)}\n`
}
