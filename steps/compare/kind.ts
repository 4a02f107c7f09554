import type { Json } from '../../engine/core/json.ts'
import type { ParamSchema } from '../../engine/core/schema.ts'
import type { ExpandContext, Origin, Problem, Step, StepKind, Task } from '../../engine/core/step-kind.ts'
import { plantedOf } from '../common/plants.ts'
import { namedSteps, stepNames } from '../common/step-names.ts'
import { methodProblems, methodsSchema, takenMethods, type VectorStep, vectorStep, vectorsTwice } from '../common/vector-steps.ts'
import { type VectorName, vectorId, vectorsMadeBy } from '../common/vectors.ts'
import { compareOperation } from './operation.ts'

const schema: ParamSchema = {
  type: 'object',
  required: ['of'],
  properties: {
    of: {
      ...stepNames,
      description: 'The steps that have the vectors: an extract, a vectors, a shift or a random step, or several of them.',
      'x-affects': 'result',
    },
    methods: methodsSchema,
  },
}

/** How alike directions are: the cosines of all vectors of a layer, of traits and of what organisms are moved along. */
export const compare: StepKind = {
  kind: 'compare',
  description: 'Compare vectors: their cosines, and which traits the organisms are moved along.',
  schema,
  tasks(step, context) {
    const named = namedSteps(step, 'of').map(({ name, place }) => comparedStep(step, context.step(name), place))
    const steps = named.flatMap((one) => ('rule' in one ? [] : [one]))
    const problems = [
      ...named.flatMap((one) => ('rule' in one ? [one] : [])),
      ...methodProblems(step, steps),
      ...vectorsTwice(steps, 'compare them in two steps'),
      ...steps.flatMap((one) => unlike(steps[0] as Compared, one)),
    ]
    return { tasks: steps.some(({ tasks }) => tasks.length > 0) ? [compareTask(step, steps, context)] : [], problems }
  },
}

/** A step whose vectors are compared: all that it makes and those that are taken. */
interface Compared extends VectorStep {
  readonly place: Problem['path']
  readonly made: readonly string[]
  readonly vectors: readonly VectorName[]
}

function comparedStep(step: Step, from: ReturnType<ExpandContext['step']>, place: Problem['path']): Compared | Problem {
  const found = vectorStep(from, place)
  if ('rule' in found) return found
  const all = found.tasks.flatMap(vectorsMadeBy)
  const made = [...new Set(all.map(({ method }) => method))]
  const taken = takenMethods(step, { ...found, made })
  return { ...found, place, made, vectors: all.filter(({ method }) => taken.includes(method)) }
}

const organismList: Origin = { from: 'workflow', path: ['organisms', 'from'] }

function compareTask(step: Step, steps: readonly Compared[], { sources }: ExpandContext): Task {
  const tasks = steps.flatMap((one) => one.tasks)
  const organisms = tasks.flatMap(({ coordinate }) => coordinate.organism ?? [])
  const traits = steps.flatMap(({ ofTraits, vectors }) => (ofTraits ? vectors.map(({ trait }) => trait) : []))
  const plants = plantedOf(sources, organisms, traits)
  return {
    id: `${step.name}/cosines`,
    step: step.name,
    stage: step.name,
    row: step.name,
    coordinate: {},
    operation: compareOperation,
    parents: tasks.map(({ id }) => ({ task: id, role: 'vectors' })),
    state: null,
    shared: Object.keys(plants).length > 0 ? { plants: plants as unknown as Json } : {},
    data: { vectors: steps.flatMap(({ vectors }) => vectors.map(vectorId)) },
    tuning: {},
    origins: { plants: organismList },
  }
}

/** Vectors of a model whose states have another length. */
function unlike(first: Compared, other: Compared): Problem[] {
  const [wanted, found] = [first, other].map(({ tasks }) => tasks[0]?.state?.base.facts.hidden ?? tasks[0]?.shared.hidden)
  if (wanted === undefined || found === undefined || wanted === found) return []
  const message = `"${first.step.name}" has vectors of ${String(wanted)} numbers, "${other.step.name}" of ${String(found)}`
  return [{ rule: 'vectors-of-another-model', message, hint: 'compare vectors of one model', path: other.place }]
}
