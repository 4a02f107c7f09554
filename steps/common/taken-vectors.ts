import type { ModelSource } from '../../engine/core/sources.ts'
import type { ExpandContext, Problem, Step, Task } from '../../engine/core/step-kind.ts'
import { namedSteps, stepNames } from './step-names.ts'
import { methodProblems, takenMethods, type VectorStep, vectorStep, vectorsTwice } from './vector-steps.ts'
import { type VectorName, vectorsMadeBy } from './vectors.ts'

/** The parameter of a step that takes whole steps of vectors. */
export const vectorStepsSchema = {
  ...stepNames,
  description: 'The steps that have the vectors: an extract, a vectors, a shift or a random step, or several of them.',
  'x-affects': 'result',
} as const

/** A step of which vectors are taken: all that it makes and those that are. */
export interface TakenStep extends VectorStep {
  readonly place: Problem['path']
  readonly made: readonly string[]
  readonly vectors: readonly VectorName[]
}

/** The steps with vectors that a parameter names, of one model and each vector once. `hint`: what to do where two have the same one. */
export function takenVectors(
  step: Step,
  parameter: string,
  context: ExpandContext,
  hint: string,
): { steps: TakenStep[]; problems: Problem[] } {
  const named = namedSteps(step, parameter).map(({ name, place }) => takenStep(step, context.step(name), place))
  const steps = named.flatMap((one) => ('rule' in one ? [] : [one]))
  const problems = [
    ...named.flatMap((one) => ('rule' in one ? [one] : [])),
    ...methodProblems(step, steps),
    ...vectorsTwice(steps, hint),
    ...steps.flatMap((one) => unlike(steps[0] as TakenStep, one)),
  ]
  return { steps, problems }
}

function takenStep(step: Step, from: ReturnType<ExpandContext['step']>, place: Problem['path']): TakenStep | Problem {
  const found = vectorStep(from, place)
  if ('rule' in found) return found
  const all = found.tasks.flatMap(vectorsMadeBy)
  const made = [...new Set(all.map(({ method }) => method))]
  const taken = takenMethods(step, { ...found, made })
  return { ...found, place, made, vectors: all.filter(({ method }) => taken.includes(method)) }
}

/** How many numbers the vectors of a task have, where that is known. */
export function lengthOfVectors(task: Task | undefined): number | undefined {
  return task?.state?.base.facts.hidden ?? (task?.shared.hidden as number | undefined)
}

/** Vectors of a model whose states have another length. */
function unlike(first: TakenStep, other: TakenStep): Problem[] {
  const [wanted, found] = [first, other].map(({ tasks }) => lengthOfVectors(tasks[0]))
  if (wanted === undefined || found === undefined || wanted === found) return []
  const message = `"${first.step.name}" has vectors of ${wanted} numbers, "${other.step.name}" of ${found}`
  return [{ rule: 'vectors-of-another-model', message, hint: 'take vectors of one model', path: other.place }]
}

/** Vectors that are none of the model's residual stream. */
export function vectorsOfOtherModel(steps: readonly TakenStep[], { name, facts }: ModelSource): Problem[] {
  const first = steps.find(({ tasks }) => tasks.length > 0)
  const found = lengthOfVectors(first?.tasks[0])
  if (!first || found === undefined || found === facts.hidden) return []
  const message = `"${first.step.name}" has vectors of ${found} numbers, the residual stream of "${name}" has ${facts.hidden}`
  return [{ rule: 'vectors-of-another-model', message, hint: 'name the model that the vectors are of', path: ['model'] }]
}
