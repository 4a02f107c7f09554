import type { Json } from '../../engine/core/json.ts'
import type { ModelSource, OrganismSource, PromptSetSource, Sources } from '../../engine/core/sources.ts'
import type { Step, Task } from '../../engine/core/step-kind.ts'
import { answering } from '../common/answering.ts'
import type { Reading } from '../common/capture.ts'
import { textModelComponents, textModelOrigins } from '../common/model.ts'
import { paramOrigin, paramOrigins } from '../common/origins.ts'
import { plantedOf } from '../common/plants.ts'
import { stateOf } from '../common/readings.ts'
import { scoring } from '../common/score.ts'
import type { TakenStep } from '../common/taken-vectors.ts'
import { meanDifference, shiftMethod, vectorId, type VectorName, vectorsMadeBy } from '../common/vectors.ts'
import { effectsOperation } from './effects-operation.ts'
import { steerOperation } from './operation.ts'

/** Who is asked what, and along what it is steered. `organism`: null for the model without an adapter. */
export interface Asked {
  readonly step: Step
  readonly model: ModelSource
  readonly organism: OrganismSource | null
  readonly set: PromptSetSource
  readonly vectors: readonly VectorName[]
  readonly making: readonly TakenStep[]
}

/** Of each layer the steered answers, and of all the answers that are not steered, each read by the clean model. */
export function answersAndReadings(asked: Asked): Task[] {
  const free = freeTask(asked)
  const byLayer = Map.groupBy(asked.vectors, ({ layer }) => layer)
  const steered = [...byLayer].map(([layer, vectors]) => [steeredTask(asked, layer, vectors, free), vectors] as const)
  return [[free, asked.vectors] as const, ...steered].flatMap(([answers, vectors]) => [answers, readingTask(asked, answers, vectors)])
}

/** As a generate step has them, so that their answers are the same cells. */
const freeOperation = answering('generate', 'answers')

function freeTask({ step, model, organism, set }: Asked): Task {
  const { batch_size: batchSize, commit_size: commitSize, max_new_tokens: maxNewTokens } = step.params as Record<string, number>
  return {
    id: [step.name, ...(organism ? [organism.name] : []), set.name].join('/'),
    step: step.name,
    stage: step.name,
    row: organism?.name ?? step.name,
    coordinate: { ...(organism ? { organism: organism.name } : {}), promptSet: set.name, side: step.name },
    operation: freeOperation,
    parents: [],
    state: organism ? stateOf(model, organism) : { base: model, adapter: null },
    ...(step.params.limit === undefined ? {} : { someOfSet: true }),
    shared: {
      ...textModelComponents(model),
      adapter: organism?.digest ?? null,
      system_prompt: set.systemPrompt,
      max_new_tokens: step.params.max_new_tokens as number,
      temperature: 0,
    },
    data: { prompts: set.prompts as unknown as [] },
    tuning: {
      batchSize: batchSize as number,
      commitSize: commitSize as number,
      maxNewTokens: maxNewTokens as number,
      temperature: 0,
      topP: 1,
      seed: 0,
    },
    origins: {
      ...textModelOrigins(model),
      ...paramOrigins(step, ['max_new_tokens']),
      ...(organism ? { adapter: { from: 'organism', name: organism.name } as const } : {}),
      system_prompt: { from: 'prompt-set', name: set.name, part: 'system_prompt' },
      prompt: { from: 'prompt-set', name: set.name, part: 'prompt' },
      earlier: { from: 'prompt-set', name: set.name, part: 'earlier' },
      prefill: { from: 'prompt-set', name: set.name, part: 'prefill' },
    },
  }
}

function steeredTask({ step, making }: Asked, layer: number, vectors: readonly VectorName[], free: Task): Task {
  const names = vectors.map(vectorId)
  const amounts = step.params.times === undefined ? 'by' : 'times'
  return {
    ...free,
    id: `${free.id}/@${layer}`,
    operation: steerOperation,
    parents: vectorParents(making, vectors),
    shared: { ...free.shared, layer },
    data: {
      ...free.data,
      vectors: names,
      [amounts]: step.params[amounts] as number[],
      ...(amounts === 'times'
        ? {
            measured: measuredVectors(making)
              .map(vectorId)
              .filter((name) => names.includes(name)),
          }
        : {}),
    },
    origins: { ...free.origins, amount: paramOrigin(step.name, amounts), layer: paramOrigin(step.name, 'layers') },
  }
}

/** Vectors whose `norm` is how far apart what they were made of lies: one that was made elsewhere may have any length. */
export function measuredVectors(making: readonly TakenStep[]): VectorName[] {
  const made = making.flatMap(({ step, vectors }) => (step.kind === 'vectors' ? [] : vectors))
  return made.filter(({ method }) => method === meanDifference || method === shiftMethod)
}

/** The clean model reads answers, and of what it reads only the scores along vectors are kept. */
function readingTask({ step, model, making }: Asked, answers: Task, vectors: readonly VectorName[]): Task {
  const stage = step.name
  const id = `${answers.id}/read`
  const layers = [...new Set(vectors.map(({ layer }) => layer))]
  const capture = { layers, positions: 'response', raw: 'never' } as const
  const state = { base: model, adapter: null }
  const reading: Reading = { id, step: step.name, stage, answers, state, capture, batchSize: step.params.batch_size as number }
  const { organism = '', promptSet = '', side = '' } = answers.coordinate
  const projection: Task = {
    id,
    step: step.name,
    stage,
    row: answers.row,
    coordinate: answers.coordinate,
    operation: steerOperation,
    parents: vectorParents(making, vectors),
    state: null,
    shared: { centered: false },
    data: { vectors: vectors as unknown as Json },
    tuning: { organism, prompt_set: promptSet, side },
    origins: {},
  }
  return scoring(projection, reading)
}

function vectorParents(making: readonly TakenStep[], vectors: readonly VectorName[]): Task['parents'] {
  const wanted = new Set(vectors.map(vectorId))
  const tasks = making.flatMap((one) => one.tasks.filter((task) => vectorsMadeBy(task).some((vector) => wanted.has(vectorId(vector)))))
  return tasks.map(({ id }) => ({ task: id, role: 'vectors' }))
}

interface SteeredAlong {
  readonly vectors: readonly VectorName[]
  readonly making: readonly TakenStep[]
  readonly sources: Sources
}

/** What all answers and what was read of them say. `tasks`: an answer task, then the one that reads it, and so on. */
export function effectsTask(step: Step, tasks: readonly Task[], { vectors, making, sources }: SteeredAlong): Task {
  const names = vectors.map(vectorId)
  const ofShifts = making
    .flatMap((one) => (one.step.kind === 'shift' ? one.vectors : []))
    .filter((vector) => names.includes(vectorId(vector)))
  const traits = making.flatMap((one) => (one.ofTraits ? one.vectors.map(({ trait }) => trait) : []))
  const organisms = [...new Set(ofShifts.map(({ trait }) => trait))]
  const plants = plantedOf(sources, organisms, traits)
  return {
    id: `${step.name}/effects`,
    step: step.name,
    stage: step.name,
    row: step.name,
    coordinate: {},
    operation: effectsOperation,
    parents: tasks.map(({ id, operation }) => ({ task: id, role: operation.name === 'score' ? 'scores' : 'answers' })),
    state: null,
    shared: Object.keys(plants).length > 0 ? { plants: plants as unknown as Json } : {},
    data: { vectors: names, ...(ofShifts.length > 0 ? { shifts: ofShifts.map(vectorId) } : {}) },
    tuning: {},
    origins: { plants: { from: 'workflow', path: ['organisms', 'from'] } },
  }
}
