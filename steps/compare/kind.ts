import type { Json } from '../../engine/core/json.ts'
import type { ParamSchema } from '../../engine/core/schema.ts'
import type { ExpandContext, Origin, Step, StepKind, Task } from '../../engine/core/step-kind.ts'
import { plantedOf } from '../common/plants.ts'
import { type TakenStep, takenVectors, vectorStepsSchema } from '../common/taken-vectors.ts'
import { methodsSchema } from '../common/vector-steps.ts'
import { vectorId } from '../common/vectors.ts'
import { compareOperation } from './operation.ts'

const schema: ParamSchema = {
  type: 'object',
  required: ['of'],
  properties: {
    of: vectorStepsSchema,
    methods: methodsSchema,
  },
}

/** How alike directions are: the cosines of all vectors of a layer, of traits and of what organisms are moved along. */
export const compare: StepKind = {
  kind: 'compare',
  description: 'Compare vectors: their cosines, and which traits the organisms are moved along.',
  schema,
  tasks(step, context) {
    const { steps, problems } = takenVectors(step, 'of', context, 'compare them in two steps')
    return { tasks: steps.some(({ tasks }) => tasks.length > 0) ? [compareTask(step, steps, context)] : [], problems }
  },
}

const organismList: Origin = { from: 'workflow', path: ['organisms', 'from'] }

function compareTask(step: Step, steps: readonly TakenStep[], { sources }: ExpandContext): Task {
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
