import { namePattern } from '../../engine/core/names.ts'
import type { ParamSchema } from '../../engine/core/schema.ts'
import type { ExpandContext, Problem, Step, Task } from '../../engine/core/step-kind.ts'
import { vectorId, type VectorName, vectorOperations } from './vectors.ts'
import { aStep } from './step-names.ts'

/** What is known of the vectors of a kind of step. */
interface VectorKind {
  /** Whether they are of traits, among which a step may choose. */
  readonly ofTraits: boolean
  /** Why they cannot be centered, if they cannot. */
  readonly noBaseline: string | null
}

const vectorKinds: ReadonlyMap<string, VectorKind> = new Map([
  ['extract', { ofTraits: true, noBaseline: null }],
  ['vectors', { ofTraits: true, noBaseline: 'takes vectors made elsewhere, whose baseline is not known' }],
  ['random', { ofTraits: false, noBaseline: 'makes directions of no meaning, which have no baseline' }],
  ['shift', { ofTraits: false, noBaseline: 'makes vectors of organisms, which have no baseline' }],
])

/** A step that makes vectors, with the tasks that make them. */
export interface VectorStep extends VectorKind {
  readonly step: Step
  readonly tasks: readonly Task[]
}

/** The step that `place` names, or that it makes none. */
export function vectorStep({ step, tasks }: ReturnType<ExpandContext['step']>, place: Problem['path']): VectorStep | Problem {
  const known = vectorKinds.get(step.kind)
  if (known) return { ...known, step, tasks: tasks.filter(({ operation }) => vectorOperations.includes(operation.name)) }
  const message = `"${step.name}" is ${aStep(step)} and makes no vectors`
  return { rule: 'not-vectors', message, hint: 'name an extract, a vectors, a random or a shift step', path: place }
}

/** A parameter that chooses among the methods of vectors. */
export const methodsSchema: ParamSchema = {
  type: 'array',
  items: { type: 'string', pattern: namePattern },
  minItems: 1,
  uniqueItems: true,
  description: 'Which of its methods. Default: mean_diff of an extract step, all of the others.',
  'x-affects': 'result',
}

/** Of a step with vectors the methods that it makes. */
interface WithMethods {
  readonly step: Step
  readonly ofTraits: boolean
  readonly tasks: readonly Task[]
  readonly made: readonly string[]
}

/** The methods of which a step takes the vectors of another. */
export function takenMethods({ params }: Step, { step, ofTraits, made }: Omit<WithMethods, 'tasks'>): readonly string[] {
  if (!ofTraits) return made
  return (params.methods ?? (step.kind === 'extract' ? ['mean_diff'] : made)) as string[]
}

/** Methods that none of the steps makes. */
export function methodProblems(step: Step, steps: readonly WithMethods[]): Problem[] {
  const choosing = steps.filter((one) => one.tasks.length > 0 && one.ofTraits)
  const problem = (method: string, of: readonly WithMethods[], path: Problem['path']): Problem => {
    const who = of.map((one) => `"${one.step.name}"`).join(' and ')
    const makes = of.length === 1 ? 'makes' : 'make'
    const only = [...new Set(of.flatMap(({ made }) => made))].join(', ')
    return { rule: 'method-not-extracted', message: `${who} ${makes} no ${method} vectors, only ${only}`, path }
  }
  const lack = (of: readonly WithMethods[], method: string) => of.length > 0 && !of.some(({ made }) => made.includes(method))
  if (step.params.methods)
    return (step.params.methods as string[]).flatMap((method, index) =>
      lack(choosing, method) ? [problem(method, choosing, ['methods', index])] : [],
    )
  return choosing.flatMap((one) => takenMethods(step, one).flatMap((method) => (lack([one], method) ? [problem(method, [one], [])] : [])))
}

interface WithVectors {
  readonly step: Step
  readonly vectors: readonly VectorName[]
  readonly place: Problem['path']
}

/** Vectors that two of the steps have by the same name. */
export function vectorsTwice(steps: readonly WithVectors[], hint: string): Problem[] {
  const first = new Map<string, string>()
  return steps.flatMap(({ step, vectors, place }): Problem[] => {
    const both = vectors.map(vectorId).find((id) => first.has(id))
    for (const id of vectors.map(vectorId)) if (!first.has(id)) first.set(id, step.name)
    if (both === undefined) return []
    return [{ rule: 'vector-twice', message: `"${first.get(both)}" and "${step.name}" both have a vector ${both}`, hint, path: place }]
  })
}
