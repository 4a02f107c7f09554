import { digestOfJson } from '../../engine/core/digest.ts'
import { resultComponents } from '../../engine/core/schema.ts'
import type { JsonObject } from '../../engine/core/json.ts'
import type { ContrastPair, Scenarios, TraitSource } from '../../engine/core/sources.ts'
import type { CellSpec, Components, Operation, Task } from '../../engine/core/step-kind.ts'
import { estimateTokens, textModelComponents, textModelOrigins } from '../common/model.ts'
import { paramOrigins } from '../common/origins.ts'
import { vectorAxes } from '../common/vectors.ts'
import { type Extraction, referenceOrigin, traitTask, vectorCells, vectorCost, wantedOf, withoutGeneration } from './extraction.ts'
import { vectorRemarks } from './remarks.ts'

/** The task that makes the vectors of a trait of pairs of written answers. */
export function pairsTask(extraction: Extraction, trait: TraitSource): Task {
  const { reference } = extraction
  return textTask(extraction, trait, {
    components: { pairs: digestOfJson(trait.pairs), ...(reference ? { reference: digestOfJson(reference) } : {}) },
    data: { pairs: trait.pairs, reference },
    origins: { pairs: { from: 'trait', name: trait.name }, reference: referenceOrigin(extraction) },
  })
}

/** The task that makes the vectors of a trait of scenarios from where each of them ends: nothing is answered. */
export function promptsTask(extraction: Extraction, trait: TraitSource): Task {
  const { positive, negative } = trait.scenarios as NonNullable<TraitSource['scenarios']>
  const asked = ({ scenarios }: Scenarios) => scenarios.map(({ text, systemPrompt }) => ({ prompt: text, system_prompt: systemPrompt }))
  const prompts = { positive: asked(positive), negative: asked(negative) }
  return textTask(extraction, trait, {
    components: { positive: digestOfJson(prompts.positive), negative: digestOfJson(prompts.negative) },
    data: { prompts, reference: null },
    origins: {
      positive: { from: 'trait', name: trait.name, file: positive.file },
      negative: { from: 'trait', name: trait.name, file: negative.file },
    },
  })
}

/** What a task of texts has of its own. */
interface Texts {
  readonly components: Components
  readonly data: JsonObject
  readonly origins: Task['origins']
}

function textTask(extraction: Extraction, trait: TraitSource, { components, data, origins }: Texts): Task {
  const { step, schema, model, layers, methods } = extraction
  return {
    ...traitTask(extraction, trait),
    operation: extractOperation,
    parents: [],
    shared: {
      ...textModelComponents(withoutGeneration(model)),
      ...components,
      ...resultComponents(schema, step.params, ['position', 'system_prompt']),
    },
    data: { trait: trait.name, category: trait.category, ...data, layers, methods },
    origins: {
      ...textModelOrigins(model),
      ...paramOrigins(step, ['position', 'system_prompt']),
      ...origins,
    },
  }
}

interface Prompt {
  readonly prompt: string
}

const extractOperation: Operation = {
  name: 'extract',
  version: 1,
  counts: { noun: 'vectors', by: 'cell' },
  remarks: vectorRemarks,
  axes: vectorAxes,
  cells(task) {
    return vectorCells(task, (own): Pick<CellSpec, 'own' | 'inputs'> => ({ own, inputs: [] }))
  },
  batches: (_task, _inputs, groups) => [[...groups]],
  cost(task, _inputs, cell) {
    const { pairs = [], prompts = { positive: [], negative: [] } } = task.data as {
      pairs?: ContrastPair[]
      prompts?: Record<string, Prompt[]>
    }
    const read = [
      ...pairs.flatMap(({ prompt, positive, negative }) => [prompt + positive, prompt + negative]),
      ...Object.values(prompts).flatMap((side) => side.map(({ prompt }) => prompt)),
    ]
    return vectorCost(
      task,
      cell,
      read.reduce((sum, text) => sum + estimateTokens(text), 0),
    )
  },
  runs: {
    on: 'sidecar',
    method: 'extract',
    params(task, _inputs, cells) {
      const { trait, pairs, prompts } = task.data
      const read = prompts === undefined ? { pairs: pairs ?? [] } : { prompts }
      return {
        groups: [{ id: trait as string, ...read, wanted: cells.map(wantedOf) }],
        position: task.tuning.position as string,
        system_prompt: task.tuning.systemPrompt ?? null,
        reference: task.data.reference ?? null,
      }
    },
  },
}
