import type { ParamSchema } from '../../engine/core/schema.ts'
import type { PromptSetSource } from '../../engine/core/sources.ts'
import type { Step, StepKind } from '../../engine/core/step-kind.ts'
import { chatsOfSet } from '../common/answering.ts'
import { batchSizeSchema } from '../common/capture.ts'
import { layerList } from '../common/layers.ts'
import { pick, selection } from '../common/pick.ts'
import { type TakenStep, takenVectors, vectorStepsSchema } from '../common/taken-vectors.ts'
import { methodsSchema } from '../common/vector-steps.ts'
import type { VectorName } from '../common/vectors.ts'
import { steeringProblems } from './problems.ts'
import { answersAndReadings, effectsTask } from './tasks.ts'

const amounts: ParamSchema = { type: 'array', items: { type: 'number' }, minItems: 1, uniqueItems: true, 'x-affects': 'result' }

const schema: ParamSchema = {
  type: 'object',
  required: ['model', 'along', 'max_new_tokens'],
  properties: {
    model: { type: 'string', description: 'The model that answers while it is steered.', 'x-ref': 'model', 'x-affects': 'result' },
    along: vectorStepsSchema,
    traits: {
      type: 'array',
      items: { type: 'string' },
      minItems: 1,
      uniqueItems: true,
      description: 'Along which of their vectors: names of traits, of organisms for those of a shift step. Default: all.',
      'x-affects': 'result',
    },
    methods: methodsSchema,
    layers: {
      ...layerList,
      description: 'Along their vectors of which layers, each added behind the block that it is of. Default: all.',
      'x-affects': 'result',
    },
    by: {
      ...amounts,
      description:
        'How far: lengths that are added along the direction at every token of prompt and answer, in the unit of projections. Below 0: against it. In place of `times`.',
    },
    times: {
      ...amounts,
      description:
        'How far, in place of `by`: so many times as far as what a vector was made of lies apart, the means of both sides of a mean_diff, or organism and clean model of a shift. Directions that have no such length count as long as those of their layer that have, on average.',
    },
    organisms: {
      description: 'Which organisms are steered, each with its adapter on. Default: the model without an adapter.',
      anyOf: selection('organism', '').anyOf as ParamSchema[],
      'x-affects': 'result',
    },
    prompts: selection('prompt-set', 'Which prompt sets are answered.'),
    limit: {
      type: 'integer',
      minimum: 1,
      description: 'Only so many prompts of each set, the first. Default: all.',
      'x-affects': 'result',
    },
    max_new_tokens: { type: 'integer', minimum: 1, description: 'Longest answer, in tokens.', 'x-affects': 'result' },
    batch_size: { ...batchSizeSchema, default: 32 },
    commit_size: {
      type: 'integer',
      minimum: 1,
      default: 128,
      description: 'Answers that are made and committed together, batch_size of them at a time.',
      'x-affects': 'performance',
    },
  },
}

/**
 * Does a direction bring its trait out? Prompts are answered while it is added to the residual stream, and the clean model
 * reads the answers without it: how far have they moved along each direction?
 */
export const steer: StepKind = {
  kind: 'steer',
  description: 'Let a model answer while directions are added to its residual stream, and see what that brings out.',
  schema,
  tasks(step, context) {
    const model = context.sources.models.get(step.params.model as string)
    if (!model) return { tasks: [], problems: [] }
    const taken = takenVectors(step, 'along', context, 'steer along them in two steps')
    const vectors = chosen(step, taken.steps)
    const problems = [...taken.problems, ...steeringProblems(step, model, taken.steps, vectors)]
    if (vectors.length === 0 || problems.length > 0) return { tasks: [], problems }
    const subjects = step.params.organisms === undefined ? [null] : pick(step.params.organisms, context.sources.organisms)
    const asked = setsOf(step, context.sources.promptSets)
    const tasks = subjects.flatMap((organism) =>
      asked.flatMap((set) => answersAndReadings({ step, model, organism, set, vectors, making: taken.steps })),
    )
    return {
      tasks: tasks.length > 0 ? [...tasks, effectsTask(step, tasks, { vectors, making: taken.steps, sources: context.sources })] : [],
      problems,
    }
  },
  chats(step, { models, promptSets }) {
    const model = models.get(step.params.model as string)
    return model ? setsOf(step, promptSets).flatMap((set) => chatsOfSet(model, set, step.params.max_new_tokens as number)) : []
  },
}

/** The vectors that are steered along, of all that the steps make. */
function chosen({ params }: Step, steps: readonly TakenStep[]): VectorName[] {
  const [traits, layers] = [params.traits, params.layers] as [string[] | undefined, number[] | undefined]
  const all = steps.flatMap(({ vectors }) => vectors)
  return all.filter(({ trait, layer }) => (layers?.includes(layer) ?? true) && (traits?.includes(trait) ?? true))
}

function setsOf({ params }: Step, all: readonly PromptSetSource[]): readonly PromptSetSource[] {
  return pick(params.prompts, all).map((set) => ({ ...set, prompts: set.prompts.slice(0, params.limit as number | undefined) }))
}
