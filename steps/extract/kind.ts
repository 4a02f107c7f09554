import { digestOfJson } from '../../engine/core/digest.ts'
import { type ParamSchema, resultComponents } from '../../engine/core/schema.ts'
import type { ContrastPair, ModelSource, TraitSource } from '../../engine/core/sources.ts'
import type { CellSpec, Operation, Problem, Step, StepKind } from '../../engine/core/step-kind.ts'
import { layerProblems } from '../common/capture.ts'
import { estimateTokens, textModelComponents, textModelOrigins } from '../common/model.ts'
import { paramOrigins } from '../common/origins.ts'
import { pick, selection } from '../common/pick.ts'
import { vectorAxes } from '../common/vectors.ts'

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
    layers: { type: 'array', items: { type: 'integer', minimum: 0 }, minItems: 1, uniqueItems: true, 'x-affects': 'result' },
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
      pattern: '^response(\\[:[1-9][0-9]*\\])?$',
      default: 'response[:5]',
      description: 'Tokens whose mean stands for an answer: `response` or the first ones, `response[:5]`.',
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
      description: 'System prompt before every contrast question. Default: none.',
      'x-affects': 'result',
    },
  },
}

/** Makes trait vectors from contrast sets: one for each trait, layer and method. */
export const extract: StepKind = {
  kind: 'extract',
  description: 'Make trait vectors from contrast sets.',
  schema,
  tasks(step, { sources }) {
    const model = sources.models.get(step.params.model as string)
    if (!model) return { tasks: [], problems: [] }
    const state = { base: model, adapter: null }
    const layers = step.params.layers as number[]
    const reference = sources.traits.find((trait) => trait.name === step.params.reference)?.pairs ?? null
    const traits = pick(step.params.traits, sources.traits)
    const tasks = traits.map((trait) => ({
      id: `${step.name}/${trait.name}`,
      step: step.name,
      stage: step.name,
      row: step.name,
      coordinate: { trait: trait.name },
      operation: extractOperation,
      parents: [],
      state,
      shared: {
        ...textModelComponents(withoutGeneration(model)),
        pairs: digestOfJson(trait.pairs),
        ...(reference ? { reference: digestOfJson(reference) } : {}),
        ...resultComponents(schema, step.params, ['position', 'system_prompt']),
      },
      data: { trait: trait.name, category: trait.category, pairs: trait.pairs, reference, layers, methods: step.params.methods ?? [] },
      tuning: { position: step.params.position as string, systemPrompt: step.params.system_prompt ?? null },
      origins: {
        ...textModelOrigins(model),
        ...paramOrigins(step, ['position', 'system_prompt']),
        pairs: { from: 'trait' as const, name: trait.name },
        reference: reference
          ? { from: 'trait' as const, name: step.params.reference as string }
          : { from: 'workflow' as const, path: ['steps', step.name, 'reference'] },
      },
    }))
    return { tasks, problems: [...layerProblems(layers, state, ['layers']), ...referenceProblems(step, traits)] }
  },
  chats(step, { models, traits }) {
    const model = models.get(step.params.model as string)
    if (!model) return []
    const [, first] = /\[:(\d+)\]$/.exec(step.params.position as string) ?? []
    const picked = pick(step.params.traits, traits)
    const read = traits.filter((trait) => picked.includes(trait) || trait.name === step.params.reference)
    return read.flatMap(({ name, pairs }) =>
      pairs.map(({ id, prompt, positive, negative }) => ({
        model,
        of: { source: 'trait', name, id },
        system: (step.params.system_prompt ?? null) as string | null,
        prompt,
        answers: [positive, negative],
        answerTokens: first === undefined ? null : Number(first),
        newTokens: 0,
      })),
    )
  },
}

/** Of the reference's own direction nothing but rounding would be left. */
function referenceProblems({ params }: Step, traits: readonly TraitSource[]): Problem[] {
  if (!traits.some(({ name }) => name === params.reference)) return []
  const message = `the reference "${params.reference}" is one of its traits, of which nothing would be left`
  const hint = `name the other traits in \`traits\`, or write \`"reference": true\` into the file of "${params.reference}" where it is no trait of its own`
  return [{ rule: 'reference', message, hint, path: ['reference'] }]
}

/** How answers would be sampled has no part in a vector. */
function withoutGeneration(model: ModelSource): ModelSource {
  const { generation_config: _unused, ...identity } = model.identity
  return { ...model, identity }
}

const extractOperation: Operation = {
  name: 'extract',
  version: 1,
  counts: { noun: 'vectors', by: 'cell' },
  axes: vectorAxes,
  cells(task) {
    const { trait, layers, methods } = task.data as { trait: string; layers: number[]; methods: string[] }
    return layers.flatMap((layer) =>
      methods.map((method): CellSpec => ({ id: `${trait}@${layer}:${method}`, group: trait, own: { layer, method }, inputs: [] })),
    )
  },
  batches: (_task, _inputs, groups) => [[...groups]],
  cost(task, _inputs, cell) {
    const facts = task.state?.base.facts
    const pairs = task.data.pairs as readonly ContrastPair[]
    const tokens = pairs.reduce(
      (sum, pair) => sum + estimateTokens(pair.prompt + pair.positive) + estimateTokens(pair.prompt + pair.negative),
      0,
    )
    const layer = Number(cell.own?.layer)
    return { decodeTokens: 0, prefillTokens: tokens, depth: (layer + 1) / (facts?.layers ?? 1), bytes: 4 * (facts?.hidden ?? 0) }
  },
  runs: {
    on: 'sidecar',
    method: 'extract',
    params(task, _inputs, cells) {
      const wanted = cells.map((cell) => ({ layer: cell.own?.layer ?? null, method: cell.own?.method ?? null }))
      return {
        groups: [{ id: task.data.trait as string, pairs: task.data.pairs ?? [], wanted }],
        position: task.tuning.position as string,
        system_prompt: task.tuning.systemPrompt ?? null,
        reference: task.data.reference ?? null,
      }
    },
  },
}
