import type { Task } from '../core/step-kind.ts'
import type { TaskGraph } from '../graph/expand.ts'

/** Whether a task is of no prompt set itself and made of what is: of all prompts at once. */
export function poolsPrompts({ coordinate, parents }: Task, { byId }: TaskGraph): boolean {
  return coordinate.promptSet === undefined && parents.some(({ task }) => byId.get(task)?.coordinate.promptSet !== undefined)
}
