import type { Task } from '../../engine/core/step-kind.ts'

/** The folder of an experiment in which a rank step shows what it makes. */
export function rankingsFolder(task: Task): string {
  return `analysis/${task.data.folder as string}`
}
