import type { Json } from '../../engine/core/json.ts'
import type { CellOutput, Inputs, Operation, Reader, Task } from '../../engine/core/step-kind.ts'
import type { Plants } from '../common/plants.ts'
import { vectorId, vectorNamed } from '../common/vectors.ts'
import { toldFile } from '../common/told.ts'
import { pretty, round } from '../common/written.ts'
import { cosinesByLayer, type Direction, type LayerCosines } from './cosines.ts'
import { cosinesMarkdown, layerMarkdown, toldOfOrganisms } from './text.ts'

/** The cosines of all vectors of each layer: one cell, in words and as JSON. */
export const compareOperation: Operation = {
  name: 'compare',
  version: 9,
  counts: { noun: 'comparisons', by: 'cell' },
  cells(task, inputs) {
    const compared = comparedOf(task, inputs)
    const outputs = compared.map(({ output }) => output)
    const known = outputs.every((output) => output !== null)
    const vectors = Object.fromEntries(compared.map(({ name, output }) => [name, output?.digest ?? null]))
    return [
      {
        id: 'cosines',
        group: 'cosines',
        own: known ? { vectors, order: Object.keys(vectors) } : null,
        inputs: known ? outputs : [],
      },
    ]
  },
  batches: (_task, _inputs, groups) => [[...groups]],
  cost(task) {
    const vectors = (task.data.vectors as string[]).length
    return { decodeTokens: 0, prefillTokens: 0, depth: 0, bytes: 2000 + 10 * vectors ** 2, madeOf: vectors }
  },
  runs: {
    on: 'engine',
    async *run(task, inputs, _cells, read) {
      const directions = await directionsOf(task, inputs, read)
      const layers = cosinesByLayer(directions)
      const plants = (task.shared.plants ?? {}) as Plants
      const files = {
        'summary.md': cosinesMarkdown(layers, plants),
        ...toldFile(toldOfOrganisms(layers)),
        'cosines.json': pretty(layers.map(layerJson)),
        ...Object.fromEntries(layers.map((layer) => [`layer${layer.layer}.md`, layerMarkdown(layer)])),
      }
      yield { files, facts: { vectors: directions.length } }
    },
  },
  folder: (task) => task.step,
  headline: 'summary.md',
}

/** The vectors that are compared, of all that the steps make. */
function comparedOf({ data }: Task, inputs: Inputs) {
  const compared = new Set(data.vectors as string[])
  return inputs
    .of('vectors')
    .flatMap(({ task, cells }) => cells.map(({ spec, output }) => ({ name: spec.id, organism: task.coordinate.organism, output })))
    .filter(({ name }) => compared.has(name))
}

async function directionsOf(task: Task, inputs: Inputs, read: Reader): Promise<Direction[]> {
  const directions: Direction[] = []
  for (const { name, organism, output } of comparedOf(task, inputs)) {
    const numbers = await read.vector(output as CellOutput)
    directions.push({ ...vectorNamed(name), numbers, ...(organism === undefined ? {} : { organism }) })
  }
  return directions
}

function layerJson({ layer, directions, cosines }: LayerCosines): Json {
  return { layer, vectors: directions.map(vectorId), cosines: cosines.map((row) => row.map(round)) }
}
