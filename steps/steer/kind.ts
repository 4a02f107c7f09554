import { suggestion } from '../../engine/core/names.ts'
import type { ParamSchema } from '../../engine/core/schema.ts'
import type { PromptSetSource } from '../../engine/core/sources.ts'
import type { Problem, Step, StepKind } from '../../engine/core/step-kind.ts'
import { batchSizeSchema, layerProblems } from '../common/capture.ts'
import { layerList } from '../common/layers.ts'
import { roomProblems } from '../common/model.ts'
import { pick, selection } from '../common/pick.ts'
import { takenVectors, vectorsOfOtherModel, vectorStepsSchema } from '../common/taken-vectors.ts'
import { methodsSchema } from '../common/vector-steps.ts'
import { vectorId, type VectorName } from '../common/vectors.ts'
import { answersAndReadings, effectsTask, measuredVectors } from './tasks.ts'

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
    const wanted = step.params.layers as number[] | undefined
    const all = taken.steps.flatMap(({ vectors }) => vectors)
    const traits = step.params.traits as string[] | undefined
    const vectors = all.filter(({ trait, layer }) => (wanted?.includes(layer) ?? true) && (traits?.includes(trait) ?? true))
    const made = [...new Set(all.map(({ layer }) => layer))]
    const problems = [
      ...taken.problems,
      ...vectorsOfOtherModel(taken.steps, model),
      ...(all.length > 0 ? layersNotMade(wanted ?? [], made) : []),
      ...(all.length > 0 ? traitsNotThere(traits ?? [], [...new Set(all.map(({ trait }) => trait))]) : []),
      ...(wanted ? [] : layerProblems(made, { base: model, adapter: null }, ['along'])).slice(0, 1),
      ...amountProblems(step),
      ...lengthProblems(step, vectors, measuredVectors(taken.steps)),
      ...roomProblems(step.params.max_new_tokens as number, model, ['max_new_tokens']),
    ]
    if (vectors.length === 0 || problems.length > 0) return { tasks: [], problems }
    const subjects = step.params.organisms === undefined ? [null] : pick(step.params.organisms, context.sources.organisms)
    const asked = setsOf(step, context.sources.promptSets)
    const tasks = subjects.flatMap((organism) =>
      asked.flatMap((set) => answersAndReadings({ step, model, organism, set, vectors, making: taken.steps })),
    )
    return { tasks: tasks.length > 0 ? [...tasks, effectsTask(step, tasks, vectors)] : [], problems }
  },
  chats(step, { models, promptSets }) {
    const model = models.get(step.params.model as string)
    if (!model) return []
    return setsOf(step, promptSets).flatMap((set) =>
      set.prompts.map(({ id, text, earlier, systemPrompt = set.systemPrompt, prefill }) => ({
        model,
        of: { source: 'prompt-set', name: set.name, id },
        system: systemPrompt,
        earlier,
        prompt: text,
        prefill,
        answers: [],
        answerTokens: null,
        newTokens: step.params.max_new_tokens as number,
      })),
    )
  },
}

function setsOf({ params }: Step, all: readonly PromptSetSource[]): readonly PromptSetSource[] {
  return pick(params.prompts, all).map((set) => ({ ...set, prompts: set.prompts.slice(0, params.limit as number | undefined) }))
}

function layersNotMade(wanted: readonly number[], made: readonly number[]): Problem[] {
  return wanted.flatMap((layer, index): Problem[] => {
    if (made.includes(layer)) return []
    const message = `no vector is of layer ${layer}; those that \`along\` takes are of ${made.join(', ')}`
    return [{ rule: 'layer-not-made', message, path: ['layers', index] }]
  })
}

function traitsNotThere(wanted: readonly string[], there: readonly string[]): Problem[] {
  return wanted.flatMap((trait, index): Problem[] => {
    if (there.includes(trait)) return []
    const hint = suggestion(trait, there)
    const message = `no vector that \`along\` takes is called "${trait}"`
    return [{ rule: 'no-such-vector', message, ...(hint === undefined ? {} : { hint }), path: ['traits', index] }]
  })
}

/** Amounts stand in one of two parameters, and none of them is 0. */
function amountProblems({ params }: Step): Problem[] {
  const [by, times] = [params.by, params.times] as [number[] | undefined, number[] | undefined]
  if ((by === undefined) === (times === undefined)) {
    const message = by === undefined ? 'it does not say how far: `by` or `times` is missing' : '`by` and `times` both say how far'
    const hint = '`by: [40]` in the unit of projections, or `times: [1]` by the length that a mean_diff or a shift has'
    return [{ rule: 'amounts', message, hint, path: by === undefined ? [] : ['times'] }]
  }
  const [name, given] = by === undefined ? ['times', times as number[]] : ['by', by]
  const index = given.indexOf(0)
  if (index < 0) return []
  return [
    {
      rule: 'amounts',
      message: 'by 0 an answer is not steered',
      hint: 'take it out: answers that are not steered are always made',
      path: [name, index],
    },
  ]
}

/** Layers of which no vector says how long one is. */
function lengthProblems({ params }: Step, vectors: readonly VectorName[], measured: readonly VectorName[]): Problem[] {
  if (params.times === undefined) return []
  const names = new Set(measured.map(vectorId))
  const layers = new Set(vectors.filter((vector) => names.has(vectorId(vector))).map(({ layer }) => layer))
  const lacking = vectors.find(({ layer }) => !layers.has(layer))
  if (!lacking) return []
  const message = `no vector of layer ${lacking.layer} says how far one time is: none that was made here is a mean_diff or a shift`
  return [{ rule: 'no-length', message, hint: 'say `by`, in the unit of projections', path: ['times'] }]
}
