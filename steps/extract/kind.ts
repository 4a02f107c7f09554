import type { Chat } from '../../engine/core/chat.ts'
import type { ParamSchema } from '../../engine/core/schema.ts'
import type { TraitSource } from '../../engine/core/sources.ts'
import type { Problem, Step, StepKind } from '../../engine/core/step-kind.ts'
import { layerList } from '../common/layers.ts'
import { batchSizeSchema, layerProblems } from '../common/capture.ts'
import { roomProblems } from '../common/model.ts'
import { pick, selection } from '../common/pick.ts'
import { scenarioTasks } from './scenarios.ts'
import { pairsTask, promptsTask } from './texts.ts'

const schema: ParamSchema = {
  type: 'object',
  required: ['model', 'layers'],
  properties: {
    model: {
      type: 'string',
      description: 'The clean model in whose residual stream the vectors lie.',
      'x-ref': 'model',
      'x-affects': 'result',
    },
    traits: selection('trait', 'Which contrast sets.'),
    layers: { ...layerList, description: 'Layers at which there are some, counted from 0.', 'x-affects': 'result' },
    methods: {
      type: 'array',
      items: { type: 'string', enum: ['mean_diff', 'probe'] },
      minItems: 1,
      uniqueItems: true,
      default: ['mean_diff', 'probe'],
      description: 'mean_diff: difference of the means; probe: logistic regression.',
      'x-affects': 'result',
    },
    position: {
      type: 'string',
      pattern: '^(response(\\[:[1-9][0-9]*\\])?|prompt\\[-1\\])$',
      default: 'response[:5]',
      description:
        'Tokens whose mean stands for an answer: `response` or the first ones, `response[:5]`. Of scenarios also `prompt[-1]`: the token after which an answer would begin, and none is written.',
      'x-affects': 'result',
    },
    reference: {
      type: 'string',
      description: 'A contrast set for what the traits have in common; its mean difference is taken out of every activation first.',
      'x-ref': 'trait',
      'x-affects': 'result',
    },
    system_prompt: {
      type: 'string',
      minLength: 1,
      description: 'System prompt before every contrast question, and before scenarios without one of their own. Default: none.',
      'x-affects': 'result',
    },
    max_new_tokens: {
      type: 'integer',
      minimum: 1,
      default: 16,
      description: 'Longest answer to a scenario, in tokens.',
      'x-affects': 'result',
    },
    batch_size: { ...batchSizeSchema, description: 'Answers to scenarios worked on together.' },
  },
}

/** Makes trait vectors from contrast sets, one for each trait, layer and method: from written answers, or from the model's own to scenarios. */
export const extract: StepKind = {
  kind: 'extract',
  description: 'Make trait vectors from contrast sets.',
  schema,
  tasks(step, { sources }) {
    const model = sources.models.get(step.params.model as string)
    if (!model) return { tasks: [], problems: [] }
    const layers = step.params.layers as number[]
    const reference = sources.traits.find((trait) => trait.name === step.params.reference)?.pairs ?? null
    const traits = pick(step.params.traits, sources.traits)
    const extraction = { step, schema, model, reference, layers, methods: (step.params.methods ?? []) as string[] }
    const tasks = traits.flatMap((trait) => {
      if (!trait.scenarios) return [pairsTask(extraction, trait)]
      return isOfPrompts(step) ? [promptsTask(extraction, trait)] : scenarioTasks(extraction, trait)
    })
    const problems = [
      ...layerProblems(layers, { base: model, adapter: null }, ['layers']),
      ...referenceProblems(step, traits, sources.traits),
      ...positionProblems(step, traits),
      ...(traits.some(({ scenarios }) => scenarios) && !isOfPrompts(step)
        ? roomProblems(step.params.max_new_tokens as number, model, ['max_new_tokens'])
        : []),
    ]
    return { tasks, problems }
  },
  chats(step, { models, traits }) {
    const model = models.get(step.params.model as string)
    if (!model) return []
    const [, first] = /\[:(\d+)\]$/.exec(step.params.position as string) ?? []
    const picked = pick(step.params.traits, traits)
    const read = traits.filter((trait) => picked.includes(trait) || trait.name === step.params.reference)
    const system = (step.params.system_prompt ?? null) as string | null
    return read.flatMap(({ name, pairs, scenarios }): Chat[] => [
      ...pairs.map(({ id, prompt, positive, negative }): Chat => {
        const answerTokens = first === undefined ? null : Number(first)
        return { model, of: { source: 'trait', name, id }, system, prompt, answers: [positive, negative], answerTokens, newTokens: 0 }
      }),
      ...Object.values(scenarios ?? {}).flatMap(({ file, scenarios: ofSide }) =>
        ofSide.map(({ id, text, systemPrompt }): Chat => {
          const of = { source: 'trait', name, id, file } as const
          const newTokens = isOfPrompts(step) ? 0 : (step.params.max_new_tokens as number)
          return { model, of, system: systemPrompt ?? system, prompt: text, answers: [], answerTokens: null, newTokens }
        }),
      ),
    ])
  },
}

/** Whether vectors are made where a prompt ends. */
function isOfPrompts({ params }: Step): boolean {
  return params.position === 'prompt[-1]'
}

/** Before an answer, the two of a pair are the same. */
function positionProblems(step: Step, traits: readonly TraitSource[]): Problem[] {
  if (!isOfPrompts(step)) return []
  const problem = (at: string, message: string, or: string): Problem => {
    return { rule: 'position', message, hint: `take a position of the response, or ${or}`, path: [at] }
  }
  const paired = traits.filter(({ scenarios }) => scenarios === null).map(({ name }) => name)
  const ofPairs = `at prompt[-1] the two answers of a pair are one and the same: ${paired.join(', ')}`
  return [
    ...(paired.length > 0 ? [problem('position', ofPairs, 'the traits of scenarios alone')] : []),
    ...(step.params.reference === undefined
      ? []
      : [problem('reference', 'a reference is measured on answers, and there are none', 'leave the reference out')]),
  ]
}

/** Of the reference's own direction nothing but rounding would be left, and it is measured on written answers. */
function referenceProblems({ params }: Step, traits: readonly TraitSource[], all: readonly TraitSource[]): Problem[] {
  const reference = all.find(({ name }) => name === params.reference)
  if (!reference) return []
  if (reference.scenarios) {
    const message = `the reference "${params.reference}" has scenarios, and it takes pairs of written answers`
    return [{ rule: 'reference', message, hint: 'name a contrast set of pairs', path: ['reference'] }]
  }
  if (!traits.includes(reference)) return []
  const message = `the reference "${params.reference}" is one of its traits, of which nothing would be left`
  const hint = `name the other traits in \`traits\`, or write \`"reference": true\` into the file of "${params.reference}" where it is no trait of its own`
  return [{ rule: 'reference', message, hint, path: ['reference'] }]
}
