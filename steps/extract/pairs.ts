import { digestOfJson } from '../../engine/core/digest.ts'
import { resultComponents } from '../../engine/core/schema.ts'
import type { ContrastPair, TraitSource } from '../../engine/core/sources.ts'
import type { CellSpec, Operation, Task } from '../../engine/core/step-kind.ts'
import { estimateTokens, textModelComponents, textModelOrigins } from '../common/model.ts'
import { paramOrigins } from '../common/origins.ts'
import { vectorAxes } from '../common/vectors.ts'
import { type Extraction, referenceOrigin, vectorCells, vectorCost, wantedOf, withoutGeneration } from './extraction.ts'

/** The task that makes the vectors of a trait of pairs of written answers. */
export function pairsTask(extraction: Extraction, trait: TraitSource): Task {
  const { step, schema, model, reference, layers, methods } = extraction
  return {
    id: `${step.name}/${trait.name}`,
    step: step.name,
    stage: step.name,
    row: step.name,
    coordinate: { trait: trait.name },
    operation: extractOperation,
    parents: [],
    state: { base: model, adapter: null },
    shared: {
      ...textModelComponents(withoutGeneration(model)),
      pairs: digestOfJson(trait.pairs),
      ...(reference ? { reference: digestOfJson(reference) } : {}),
      ...resultComponents(schema, step.params, ['position', 'system_prompt']),
    },
    data: { trait: trait.name, category: trait.category, pairs: trait.pairs, reference, layers, methods },
    tuning: { position: step.params.position as string, systemPrompt: step.params.system_prompt ?? null },
    origins: {
      ...textModelOrigins(model),
      ...paramOrigins(step, ['position', 'system_prompt']),
      pairs: { from: 'trait', name: trait.name },
      reference: referenceOrigin(extraction),
    },
  }
}

const extractOperation: Operation = {
  name: 'extract',
  version: 1,
  counts: { noun: 'vectors', by: 'cell' },
  axes: vectorAxes,
  cells(task) {
    return vectorCells(task, (own): Pick<CellSpec, 'own' | 'inputs'> => ({ own, inputs: [] }))
  },
  batches: (_task, _inputs, groups) => [[...groups]],
  cost(task, _inputs, cell) {
    const pairs = task.data.pairs as readonly ContrastPair[]
    const tokens = pairs.reduce(
      (sum, pair) => sum + estimateTokens(pair.prompt + pair.positive) + estimateTokens(pair.prompt + pair.negative),
      0,
    )
    return vectorCost(task, cell, tokens)
  },
  runs: {
    on: 'sidecar',
    method: 'extract',
    params(task, _inputs, cells) {
      return {
        groups: [{ id: task.data.trait as string, pairs: task.data.pairs ?? [], wanted: cells.map(wantedOf) }],
        position: task.tuning.position as string,
        system_prompt: task.tuning.systemPrompt ?? null,
        reference: task.data.reference ?? null,
      }
    },
  },
}
