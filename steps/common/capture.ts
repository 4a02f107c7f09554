import type { Json } from '../../engine/core/json.ts'
import type { ParamSchema } from '../../engine/core/schema.ts'
import type { CellSpec, Components, Inputs, LoadedState, Operation, ParentTask, Problem, Step, Task } from '../../engine/core/step-kind.ts'
import { layerList } from './layers.ts'
import { tokenModelComponents, tokenModelOrigins } from './model.ts'
import { paramOrigin } from './origins.ts'
import { chunks } from './pick.ts'
import { byAnswer } from './answer-ids.ts'

/** What to record while a model reads an answer again. */
export interface CaptureParams {
  readonly layers: readonly number[]
  readonly positions: 'response' | 'all'
  readonly raw: 'keep' | 'keep-int8' | 'evict-after-projection' | 'never'
}

export const captureSchema: ParamSchema = {
  type: 'object',
  description: 'Record the residual stream: the output of these decoder blocks, counted from 0.',
  required: ['layers'],
  additionalProperties: false,
  properties: {
    layers: { ...layerList, description: 'Which blocks.', 'x-affects': 'result' },
    positions: {
      type: 'string',
      enum: ['response', 'all'],
      default: 'response',
      description: 'Record the response tokens only, or the prompt too.',
      'x-affects': 'result',
    },
    raw: {
      type: 'string',
      enum: ['keep', 'keep-int8', 'evict-after-projection', 'never'],
      default: 'keep',
      description:
        'keep stores the recordings: other traits are then projected without a model. keep-int8 stores them in eight bits a number, a little over half of bfloat16. evict-after-projection removes them once all steps that read them have; another trait costs another pass. never stores none: a project step reads the answers again and keeps the scores alone, so that another trait costs another pass.',
      'x-affects': 'result',
      'x-chooses': 'storage',
    },
  },
  'x-affects': 'result',
}

export const batchSizeSchema: ParamSchema = {
  type: 'integer',
  minimum: 1,
  default: 16,
  description: 'Answers worked on together.',
  'x-affects': 'performance',
}

/** Whether what a step reads again is scored at once and not recorded. */
export function keepsNothing(step: Step): boolean {
  return (step.params.capture as CaptureParams | undefined)?.raw === 'never'
}

/** Layers that the model does not have; those of a range are one mistake. */
export function layerProblems(layers: readonly number[], state: LoadedState, path: readonly string[]): Problem[] {
  const { facts, name } = state.base
  const beyond = (index: number) => (layers[index] ?? -1) >= facts.layers
  const follows = (index: number) => beyond(index - 1) && layers[index] === (layers[index - 1] as number) + 1
  return layers.flatMap((layer, index): Problem[] => {
    if (!beyond(index) || follows(index)) return []
    let last = index
    while (follows(last + 1)) last++
    const which = last === index ? `layer ${layer} does` : `layers ${layer} to ${layers[last]} do`
    return [
      {
        rule: 'layer-out-of-range',
        message: `${which} not exist: model "${name}" has ${facts.layers} layers`,
        hint: `layers are counted from 0 to ${facts.layers - 1}`,
        path: [...path, index],
      },
    ]
  })
}

/** Recorded answers. */
export interface Recorded {
  readonly id: string
  readonly step: string
  readonly answers: Task
}

/** Answers that are read again in a state of the model, to be recorded. */
export interface Reading extends Recorded {
  readonly stage: string
  readonly state: LoadedState
  readonly capture: CaptureParams
  readonly batchSize: number
}

/** The parts of a key that say how states of the residual stream are computed. */
export function captureComponents({ state, capture }: Reading): Components {
  return { ...tokenModelComponents(state), component: 'residual', positions: capture.positions ?? 'response' }
}

export function captureOrigins({ state, step }: Reading): Task['origins'] {
  return { ...tokenModelOrigins(state), positions: paramOrigin(step, 'capture', 'positions') }
}

/**
 * A task that reads recorded token ids through a model and keeps the residual stream. The organism's side and the
 * clean replay are this same operation in another state of the model.
 */
export function captureTask(reading: Reading): Task {
  const { id, step, stage, answers, state, capture, batchSize } = reading
  return {
    id,
    step,
    stage,
    row: answers.row,
    coordinate: { ...answers.coordinate, side: step },
    operation: captureOperation,
    parents: [{ task: answers.id, role: 'answers' }],
    state,
    ...(capture.raw === 'evict-after-projection' ? { transient: true } : {}),
    shared: { ...captureComponents(reading), ...(capture.raw === 'keep-int8' ? { raw: capture.raw } : {}) },
    data: { layers: [...capture.layers] },
    tuning: { batchSize, mostTokens: answers.tuning.maxNewTokens as number },
    origins: { ...captureOrigins(reading), raw: paramOrigin(step, 'capture', 'raw') },
  }
}

const captureOperation: Operation = {
  name: 'capture',
  version: 1,
  counts: { noun: 'recordings', by: 'group', cellsOfGroup: (task) => (task.data.layers as number[]).length },
  axes: (cell) => byAnswer({ .../^(?<prompt>.*)@(?<layer>\d+)$/.exec(cell)?.groups }),
  cells(task, inputs) {
    const layers = task.data.layers as number[]
    return answersOf(inputs).cells.flatMap(({ spec, output }) =>
      layers.map(
        (layer): CellSpec => ({
          id: `${spec.id}@${layer}`,
          group: spec.id,
          own: output && { tokens: output.digest, layer },
          inputs: output ? [output] : [],
        }),
      ),
    )
  },
  batches: (task, inputs, groups) => byLength(answersOf(inputs), groups, task.tuning.batchSize as number),
  together: (task) => task.tuning.batchSize as number,
  cost(task, inputs, cell) {
    const { facts } = (task.state as LoadedState).base
    const layer = Number(cell.id.slice(cell.id.lastIndexOf('@') + 1))
    const { read, recorded } = readTokens(task, inputs, cell.group)
    return {
      decodeTokens: 0,
      prefillTokens: read,
      depth: (layer + 1) / facts.layers,
      bytes: recorded * bytesPerState(task),
    }
  },
  runs: {
    on: 'sidecar',
    method: 'capture',
    params(task, inputs, cells, ref) {
      const layersOf = new Map<string, number[]>()
      for (const cell of cells) {
        const layers = layersOf.get(cell.group) ?? []
        layers.push(Number(cell.id.slice(cell.id.lastIndexOf('@') + 1)))
        layersOf.set(cell.group, layers)
      }
      const answers = answersOf(inputs)
      const groups = [...layersOf].map(([id, layers]) => {
        const output = answers.cell(id)?.output
        if (!output) throw new Error(`the answer to ${id} is not there`)
        return { id, response: ref(output), layers }
      })
      return { groups, component: 'residual', positions: task.shared.positions as Json, raw: task.shared.raw ?? 'keep' }
    },
  },
}

function answersOf(inputs: Inputs): ParentTask {
  return inputs.of('answers')[0] as ParentTask
}

/** Batches of answers of about the same length, the longest first. */
export function byLength(answers: ParentTask, groups: readonly string[], size: number): string[][] {
  const length = (group: string): number => {
    const facts = answers.cell(group)?.output?.facts
    return facts ? Number(facts.prompt_tokens) + Number(facts.response_tokens) : 0
  }
  const sorted = groups.map((group) => ({ group, tokens: length(group) })).sort((a, b) => b.tokens - a.tokens)
  return chunks(
    sorted.map(({ group }) => group),
    size,
  )
}

/** Tokens of an answer that a reading runs, and how many of them it keeps the state of. */
export function readTokens(task: Task, inputs: Inputs, id: string): { read: number; recorded: number } {
  const { prompt, response } = tokensOf(inputs, id)
  return { read: prompt + response, recorded: task.shared.positions === 'all' ? prompt + response : response }
}

/** Tokens of an answer: as recorded, or the most it can have while it is not written yet. */
function tokensOf(inputs: Inputs, id: string): { prompt: number; response: number } {
  const answers = answersOf(inputs)
  const cell = answers.cell(id)
  if (cell?.output) return { prompt: Number(cell.output.facts.prompt_tokens), response: Number(cell.output.facts.response_tokens) }
  const cost = cell && answers.task.operation.cost(answers.task, inputs, cell.spec)
  return { prompt: cost?.prefillTokens ?? 0, response: cost?.decodeTokens ?? 0 }
}

/** Of one token at one layer; eight-bit numbers have a float32 scale for every 64. */
export function bytesPerState(task: Task): number {
  const hidden = task.state?.base.facts.hidden ?? 0
  if (task.shared.raw === 'keep-int8') return hidden + 4 * Math.ceil(hidden / 64)
  return hidden * (task.state?.base.dtype === 'float32' ? 4 : 2)
}
