import type { ParamSchema } from '../../engine/core/schema.ts'
import type { CellSpec, Operation, Step, StepKind, Task } from '../../engine/core/step-kind.ts'
import { type Hidden, hiddenOf, hiddenParams } from '../common/hidden.ts'
import { layerList } from '../common/layers.ts'
import { paramOrigin, paramOrigins } from '../common/origins.ts'
import { randomMethod, type VectorName, vectorAxes, vectorId } from '../common/vectors.ts'

const schema: ParamSchema = {
  type: 'object',
  required: ['layers'],
  properties: {
    ...hiddenParams,
    layers: { ...layerList, description: 'Layers at which there are some, counted from 0.', 'x-affects': 'result' },
    count: {
      type: 'integer',
      minimum: 1,
      maximum: 1000,
      default: 3,
      description: 'How many. More later leave those that are there.',
      'x-affects': 'result',
    },
    seed: { type: 'integer', minimum: 0, default: 0, description: 'Another seed draws others.', 'x-affects': 'result' },
  },
}

/**
 * Directions of no meaning: what lies along them is what an adapter does to any direction, which a trait must exceed to
 * say something.
 */
export const random: StepKind = {
  kind: 'random',
  description: 'Draw random directions, a baseline for trait vectors.',
  schema,
  tasks(step, context) {
    const hidden = hiddenOf(step, context)
    if (!hidden) return { tasks: [], problems: [] }
    if ('rule' in hidden) return { tasks: [], problems: [hidden] }
    const count = step.params.count as number
    return {
      tasks: Array.from({ length: count }, (_, index) => randomTask(step, index + 1, hidden)),
      problems: hidden.problems(step.params.layers as number[], 'layers'),
    }
  },
}

function randomTask(step: Step, index: number, { hidden, origin }: Hidden): Task {
  const trait = `random_${index}`
  const vectors = (step.params.layers as number[]).map((layer): VectorName => ({ trait, layer, method: randomMethod }))
  return {
    id: `${step.name}/${trait}`,
    step: step.name,
    stage: step.name,
    row: step.name,
    coordinate: { trait },
    operation: randomOperation,
    parents: [],
    state: null,
    shared: { hidden, seed: step.params.seed as number, index },
    data: { vectors: vectors.map(({ layer, method }) => ({ trait, layer, method })) },
    tuning: {},
    origins: {
      hidden: origin,
      layer: paramOrigin(step.name, 'layers'),
      index: paramOrigin(step.name, 'count'),
      ...paramOrigins(step, ['seed']),
    },
  }
}

const randomOperation: Operation = {
  name: 'random',
  version: 1,
  counts: { noun: 'vectors', by: 'cell' },
  axes: vectorAxes,
  cells: (task) =>
    (task.data.vectors as unknown as VectorName[]).map((vector): CellSpec => {
      const id = vectorId(vector)
      return { id, group: id, own: { layer: vector.layer }, inputs: [] }
    }),
  batches: (_task, _inputs, groups) => [[...groups]],
  cost: (task) => ({ decodeTokens: 0, prefillTokens: 0, depth: 0, bytes: 4 * Number(task.shared.hidden) }),
  runs: {
    on: 'sidecar',
    method: 'random_directions',
    params({ shared }, _inputs, cells) {
      const { hidden, seed, index } = shared as Record<string, number>
      return {
        hidden: hidden as number,
        seed: seed as number,
        index: index as number,
        cells: cells.map(({ id, own }) => ({ id, layer: own?.layer as number })),
      }
    },
  },
}
