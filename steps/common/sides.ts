import type { ExpandContext, Step, Task } from '../../engine/core/step-kind.ts'
import { answersIn, hasAnswers } from './readings.ts'

/** The steps that a project step reads: organisms with what was recorded of them, and what the clean model read of the first of these. */
export interface Sides {
  readonly organism: readonly string[]
  readonly clean: readonly string[]
}

export function sidesOf(scores: Step, context: ExpandContext): Sides {
  const of = [scores.params.of].flat() as string[]
  const organism = of.filter((name) => hasAnswers(context.step(name).step))
  return { organism, clean: of.filter((name) => context.step(name).step.params.of === organism[0]) }
}

/** An organism's answers to one prompt set, with the tasks that score them. */
export interface AnswerTasks {
  readonly organism: string
  readonly promptSet: string
  readonly parents: Task['parents']
  /** The task that scores them with the organism on. */
  readonly scores: Task
}

/** What a project step scores, by organism and prompt set, in its order. `clean` is null where that side is not wanted. */
export function answerTasks(scores: readonly Task[], organism: string, clean: string | null, context: ExpandContext): AnswerTasks[] {
  const answers = answersIn(context.step(organism).tasks)
  const sameAnswers = (task: Task, other: Task) =>
    task.coordinate.organism === other.coordinate.organism && task.coordinate.promptSet === other.coordinate.promptSet
  const as = (role: string, tasks: readonly Task[], of: Task) =>
    tasks.filter((task) => sameAnswers(task, of)).map((task) => ({ task: task.id, role }))
  const ofSide = (side: string | null) => scores.filter((task) => task.coordinate.side === side)
  return ofSide(organism).map((task) => ({
    organism: task.coordinate.organism as string,
    promptSet: task.coordinate.promptSet as string,
    parents: [{ task: task.id, role: 'organism' }, ...as('clean', ofSide(clean), task), ...as('answers', answers, task)],
    scores: task,
  }))
}
