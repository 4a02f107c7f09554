import { type Digest, digestOfJson } from '../../engine/core/digest.ts'
import { resultComponents } from '../../engine/core/schema.ts'
import type { Scenarios, TraitSource } from '../../engine/core/sources.ts'
import type { CellOutput, Inputs, Operation, ParentTask, Task } from '../../engine/core/step-kind.ts'
import { answering } from '../common/answering.ts'
import { textModelComponents, textModelOrigins, tokenModelComponents, tokenModelOrigins } from '../common/model.ts'
import { paramOrigins } from '../common/origins.ts'
import { vectorAxes } from '../common/vectors.ts'
import { type Extraction, referenceOrigin, traitTask, vectorCells, vectorCost, wantedOf, withoutGeneration } from './extraction.ts'
import { vectorRemarks } from './remarks.ts'

const sides = ['positive', 'negative'] as const
type Side = (typeof sides)[number]

/** The tasks that make the vectors of a trait of scenarios: the model's own answers to both sides, and what tells them apart. */
export function scenarioTasks(extraction: Extraction, trait: TraitSource): Task[] {
  const { scenarios } = trait
  if (!scenarios) return []
  const answers = sides.map((side) => elicitTask(extraction, trait, side, scenarios[side]))
  return [...answers, contrastTask(extraction, trait, answers)]
}

const elicitOperation = answering('elicit', 'elicited answers')

function elicitTask({ step, schema, model }: Extraction, trait: TraitSource, side: Side, { file, scenarios }: Scenarios): Task {
  const { max_new_tokens: maxNewTokens, batch_size: batchSize } = step.params as Record<'max_new_tokens' | 'batch_size', number>
  const stage = `${step.name}.answers`
  return {
    id: `${stage}/${trait.name}/${side}`,
    step: step.name,
    stage,
    row: step.name,
    coordinate: { trait: trait.name, side },
    operation: elicitOperation,
    parents: [],
    state: { base: model, adapter: null },
    shared: {
      ...textModelComponents(model),
      adapter: null,
      system_prompt: step.params.system_prompt ?? null,
      temperature: 0,
      ...resultComponents(schema, step.params, ['max_new_tokens']),
    },
    data: { prompts: scenarios as unknown as [] },
    tuning: { batchSize, commitSize: batchSize, maxNewTokens, temperature: 0, topP: 1, seed: 0 },
    origins: {
      ...textModelOrigins(model),
      ...paramOrigins(step, ['max_new_tokens', 'system_prompt']),
      prompt: { from: 'trait', name: trait.name, part: 'prompt', file },
    },
  }
}

function contrastTask(extraction: Extraction, trait: TraitSource, answers: readonly Task[]): Task {
  const { step, schema, model, reference, layers, methods } = extraction
  const state = { base: model, adapter: null }
  // A reference is written in words, so that its tokens are those of this tokenizer and template; answers bring their own.
  const read = reference
    ? { ...textModelComponents(withoutGeneration(model)), reference: digestOfJson(reference) }
    : tokenModelComponents(state)
  const names = reference ? ['position', 'system_prompt'] : ['position']
  return {
    ...traitTask(extraction, trait),
    operation: contrastOperation,
    parents: answers.map(({ id, coordinate }) => ({ task: id, role: coordinate.side as Side })),
    shared: { ...read, ...resultComponents(schema, step.params, names) },
    data: { trait: trait.name, category: trait.category, reference, layers, methods },
    origins: { ...tokenModelOrigins(state), ...paramOrigins(step, ['position', 'system_prompt']), reference: referenceOrigin(extraction) },
  }
}

const contrastOperation: Operation = {
  name: 'contrast',
  version: 1,
  counts: { noun: 'vectors', by: 'cell' },
  remarks: vectorRemarks,
  axes: vectorAxes,
  cells(task, inputs) {
    const answers = sides.map((side) => outputsOf(inputs, side))
    const known = answers.flatMap((outputs) => (outputs ? [outputs] : []))
    if (known.length < sides.length) return vectorCells(task, () => ({ own: null, inputs: [] }))
    const digests = Object.fromEntries(sides.map((side, index) => [side, folded(known[index] as CellOutput[])]))
    return vectorCells(task, (own) => ({ own: { ...own, ...digests }, inputs: known.flat() }))
  },
  batches: (_task, _inputs, groups) => [[...groups]],
  cost(task, inputs, cell) {
    const answers = sides.map((side) => answersOf(inputs, side))
    const tokens = answers.reduce(
      (sum, { task: of, cells }) => sum + cells.reduce((own, { spec }) => own + tokensOf(of, inputs, spec), 0),
      0,
    )
    return { ...vectorCost(task, cell, tokens), madeOf: answers.reduce((sum, { cells }) => sum + cells.length, 0) }
  },
  runs: {
    on: 'sidecar',
    method: 'extract',
    params(task, inputs, cells, ref) {
      const [positive, negative] = sides.map((side) => (outputsOf(inputs, side) ?? []).map(ref))
      return {
        groups: [{ id: task.data.trait as string, positive: positive ?? [], negative: negative ?? [], wanted: cells.map(wantedOf) }],
        position: task.tuning.position as string,
        system_prompt: task.tuning.systemPrompt ?? null,
        reference: task.data.reference ?? null,
      }
    },
  },
}

function answersOf(inputs: Inputs, side: Side): ParentTask {
  return inputs.of(side)[0] as ParentTask
}

/** All answers of a side; null while one is not known. */
function outputsOf(inputs: Inputs, side: Side): CellOutput[] | null {
  const outputs = answersOf(inputs, side).cells.flatMap(({ output }) => output ?? [])
  return outputs.length === answersOf(inputs, side).cells.length ? outputs : null
}

function folded(outputs: readonly CellOutput[]): Digest {
  return digestOfJson(outputs.map(({ digest }) => digest))
}

function tokensOf(task: Task, inputs: Inputs, spec: Parameters<Operation['cost']>[2]): number {
  const { prefillTokens, decodeTokens } = task.operation.cost(task, inputs, spec)
  return prefillTokens + decodeTokens
}
