import { type ParamSchema, resultComponents } from '../../engine/core/schema.ts'
import type { ModelSource } from '../../engine/core/sources.ts'
import type { Origin, Step, StepKind, Task } from '../../engine/core/step-kind.ts'
import { textModelOrigins } from '../common/model.ts'
import { paramOrigins } from '../common/origins.ts'
import { type TakenStep, takenVectors, vectorsOfOtherModel, vectorStepsSchema } from '../common/taken-vectors.ts'
import { methodsSchema } from '../common/vector-steps.ts'
import { vectorId } from '../common/vectors.ts'
import { lensComponents, lensOperation } from './operation.ts'
import { lensSummaryOperation } from './summary.ts'

const schema: ParamSchema = {
  type: 'object',
  required: ['model', 'of'],
  properties: {
    model: {
      type: 'string',
      description: 'The clean model whose final norm and unembedding turn directions into tokens.',
      'x-ref': 'model',
      'x-affects': 'result',
    },
    of: vectorStepsSchema,
    methods: methodsSchema,
    by: {
      type: 'string',
      enum: ['cosine', 'logit'],
      default: 'cosine',
      description:
        'What orders tokens. cosine: of the direction with what raises a token above the mean of all. logit: what is added to its logit, in standard deviations of all; rare tokens with long rows of the unembedding come first along many directions.',
      'x-affects': 'result',
    },
    top: {
      type: 'integer',
      minimum: 1,
      maximum: 1000,
      default: 20,
      description: 'How many tokens are listed of those that a direction raises, and of those that it lowers.',
      'x-affects': 'result',
    },
  },
}

/** What directions stand for in words: the tokens whose logits they raise and lower most. */
export const logitLens: StepKind = {
  kind: 'logit_lens',
  description: 'Read vectors as tokens, through the unembedding: what they raise and what they lower.',
  schema,
  tasks(step, context) {
    const model = context.sources.models.get(step.params.model as string)
    if (!model) return { tasks: [], problems: [] }
    const { steps, problems } = takenVectors(step, 'of', context, 'read them in two steps')
    const isAny = steps.some(({ tasks }) => tasks.length > 0)
    return { tasks: isAny ? lensTasks(step, steps, model) : [], problems: [...problems, ...vectorsOfOtherModel(steps, model)] }
  },
}

function lensTasks(step: Step, steps: readonly TakenStep[], model: ModelSource): Task[] {
  const making = steps.flatMap(({ tasks }) => tasks)
  const organisms = making.flatMap(({ coordinate }) => coordinate.organism ?? [])
  const shown = resultComponents(schema, step.params, ['by', 'top'])
  const head = { step: step.name, stage: step.name, row: step.name, coordinate: {}, tuning: {} }
  const tokens: Task = {
    ...head,
    id: `${step.name}/tokens`,
    operation: lensOperation,
    parents: making.map(({ id }) => ({ task: id, role: 'vectors' })),
    state: { base: model, adapter: null },
    shared: { ...lensComponents(model), ...shown },
    data: { vectors: steps.flatMap(({ vectors }) => vectors.map(vectorId)) },
    origins: { ...textModelOrigins(model), ...paramOrigins(step, ['by', 'top']) },
  }
  const summary: Task = {
    ...head,
    id: `${step.name}/summary`,
    operation: lensSummaryOperation,
    parents: [{ task: tokens.id, role: 'tokens' }],
    state: null,
    shared: { organisms, ...resultComponents(schema, step.params, ['by']) },
    data: {},
    origins: { organisms: organismList, ...paramOrigins(step, ['by']) },
  }
  return [tokens, summary]
}

const organismList: Origin = { from: 'workflow', path: ['organisms', 'from'] }
