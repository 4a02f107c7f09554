import { type ParamSchema, resultComponents } from '../../engine/core/schema.ts'
import type { ModelSource, OrganismSource, Prompt, PromptSetSource } from '../../engine/core/sources.ts'
import type { Operation, Problem, Step, StepKind, Task } from '../../engine/core/step-kind.ts'
import { type Asked, answering, chatsOfSet } from '../common/answering.ts'
import { batchSizeSchema, type CaptureParams, captureSchema, captureTask, keepsNothing, layerProblems } from '../common/capture.ts'
import { roomProblems, textModelComponents, textModelOrigins } from '../common/model.ts'
import { paramOrigin, paramOrigins } from '../common/origins.ts'
import { pick, selection } from '../common/pick.ts'
import { organismReading, stateOf } from '../common/readings.ts'
import { answerRemarks } from './remarks.ts'

const schema: ParamSchema = {
  type: 'object',
  required: ['model', 'max_new_tokens'],
  properties: {
    model: { type: 'string', description: 'The base model that the organisms are put on.', 'x-ref': 'model', 'x-affects': 'result' },
    organisms: selection('organism', 'Which organisms answer.'),
    prompts: selection('prompt-set', 'Which prompt sets they answer.'),
    max_new_tokens: { type: 'integer', minimum: 1, description: 'Longest answer, in tokens.', 'x-affects': 'result' },
    prefill: {
      type: 'string',
      minLength: 1,
      description:
        'With what every answer begins: it is put into the model’s mouth and is part of the prompt, so nothing of it is scored. Prompts of a set may each have one of their own instead.',
      'x-affects': 'result',
    },
    temperature: { type: 'number', minimum: 0, default: 0, description: '0 takes the likeliest token.', 'x-affects': 'result' },
    top_p: {
      type: 'number',
      exclusiveMinimum: 0,
      maximum: 1,
      default: 1,
      description: 'Sample from the smallest set of tokens that has this probability. Only above temperature 0.',
      'x-affects': 'result',
    },
    samples: {
      type: 'integer',
      minimum: 1,
      default: 1,
      description:
        'How many answers are sampled to each prompt, above temperature 0. The second to the prompt `p` is called `p+2`; more later leave those that are there.',
      'x-affects': 'result',
    },
    seed: { type: 'integer', minimum: 0, default: 0, description: 'Another seed gives other samples.', 'x-affects': 'result' },
    batch_size: batchSizeSchema,
    commit_size: {
      type: 'integer',
      minimum: 1,
      description:
        'Answers that are made and committed together, batch_size of them at a time: when one ends, the next prompt takes its place. So many at most are lost when a run is killed. Default: batch_size.',
      'x-affects': 'performance',
    },
    capture: captureSchema,
  },
}

/** Organisms answer prompts; with `capture`, the answers are read again with the organism on and recorded. */
export const generate: StepKind = {
  kind: 'generate',
  description: 'Let organisms answer prompt sets.',
  schema,
  tasks(step, { sources }) {
    const model = sources.models.get(step.params.model as string)
    if (!model) return { tasks: [], problems: [] }
    const capture = step.params.capture as CaptureParams | undefined
    const clean = { base: model, adapter: null }
    const promptSets = pick(step.params.prompts, sources.promptSets)
    const problems = [
      ...prefillProblems(step, promptSets),
      ...sampleProblems(step),
      ...(capture ? layerProblems(capture.layers, clean, ['capture', 'layers']) : []),
      ...roomProblems(step.params.max_new_tokens as number, model, ['max_new_tokens']),
    ]
    const tasks = pick(step.params.organisms, sources.organisms).flatMap((organism) =>
      promptSets.flatMap((set) => {
        const answers = answerTask(step, model, organism, set)
        if (!capture || keepsNothing(step)) return [answers]
        return [answers, captureTask(organismReading(step, answers))]
      }),
    )
    return { tasks, problems }
  },
  chats(step, { models, promptSets }) {
    const model = models.get(step.params.model as string)
    if (!model) return []
    const newTokens = step.params.max_new_tokens as number
    return pick(step.params.prompts, promptSets).flatMap((set) =>
      chatsOfSet(model, { ...set, prompts: begun(step, set.prompts) }, newTokens),
    )
  },
}

/** The prompts with what their answers begin with. */
function begun(step: Step, prompts: readonly Prompt[]): readonly Prompt[] {
  const prefill = step.params.prefill as string | undefined
  return prefill === undefined ? prompts : prompts.map((prompt) => ({ ...prompt, prefill }))
}

/** What a task asks. */
function asked(step: Step, { prompts }: PromptSetSource): readonly Asked[] {
  const samples = step.params.samples as number
  return samples === 1 ? begun(step, prompts) : begun(step, prompts).map((prompt) => ({ ...prompt, samples }))
}

/** An answer can begin in one way only. */
function prefillProblems(step: Step, sets: readonly PromptSetSource[]): Problem[] {
  if (step.params.prefill === undefined) return []
  return sets.flatMap(({ name, prompts }): Problem[] => {
    const own = prompts.find(({ prefill }) => prefill !== undefined)
    if (!own) return []
    const message = `prompt "${own.id}" of set "${name}" has a prefill of its own`
    return [{ rule: 'prefill', message, hint: 'take `prefill` out of the step, or out of the prompts', path: ['prefill'] }]
  })
}

function sampleProblems({ params }: Step): Problem[] {
  if (params.samples === 1 || Number(params.temperature) > 0) return []
  const message = `${params.samples} answers to a prompt would all be the same at temperature 0`
  return [{ rule: 'samples', message, hint: 'give `temperature` a number above 0, or take `samples` out', path: ['samples'] }]
}

const answerOperation: Operation = { ...answering('generate', 'answers'), remarks: answerRemarks }

function answerTask(step: Step, model: ModelSource, organism: OrganismSource, set: PromptSetSource): Task {
  const sampled = Number(step.params.temperature) > 0
  const names = sampled ? ['max_new_tokens', 'temperature', 'top_p', 'seed'] : ['max_new_tokens', 'temperature']
  return {
    id: `${step.name}/${organism.name}/${set.name}`,
    step: step.name,
    stage: step.name,
    row: organism.name,
    coordinate: { organism: organism.name, promptSet: set.name, side: step.name },
    operation: answerOperation,
    parents: [],
    state: stateOf(model, organism),
    shared: {
      ...textModelComponents(model),
      adapter: organism.digest,
      system_prompt: set.systemPrompt,
      ...resultComponents(schema, step.params, names),
    },
    data: { prompts: asked(step, set) as unknown as [], sampled },
    tuning: {
      batchSize: step.params.batch_size as number,
      commitSize: (step.params.commit_size ?? step.params.batch_size) as number,
      maxNewTokens: step.params.max_new_tokens as number,
      temperature: step.params.temperature as number,
      topP: step.params.top_p as number,
      seed: step.params.seed as number,
    },
    origins: {
      ...textModelOrigins(model),
      ...paramOrigins(step, ['max_new_tokens', 'temperature', 'top_p', 'seed']),
      adapter: { from: 'organism', name: organism.name },
      system_prompt: { from: 'prompt-set', name: set.name, part: 'system_prompt' },
      prompt: { from: 'prompt-set', name: set.name, part: 'prompt' },
      earlier: { from: 'prompt-set', name: set.name, part: 'earlier' },
      prefill:
        step.params.prefill === undefined ? { from: 'prompt-set', name: set.name, part: 'prefill' } : paramOrigin(step.name, 'prefill'),
    },
  }
}
