import { digestOfJson } from '../../engine/core/digest.ts'
import type { ModelSource } from '../../engine/core/sources.ts'
import type { CellOutput, CellSpec, Components, Inputs, Operation, Task } from '../../engine/core/step-kind.ts'
import { chunks } from '../common/pick.ts'
import { apartMethod, fewestSharing, vectorAxes, vectorId, vectorNamed } from '../common/vectors.ts'

/** Key components of a model of which only the final norm, the unembedding and the tokens' texts count. */
export function lensComponents({ identity, dtype, quantization }: ModelSource): Components {
  const { weights, config, tokenizer } = identity
  return { model: { weights: weights ?? null, config: config ?? null, tokenizer: tokenizer ?? null }, dtype, quantization }
}

/** Directions that go through the unembedding together: it is read once for all of them. */
const readTogether = 64

/** A token, its id and its value take so much. */
const listedBytes = 30

/**
 * The tokens that each vector raises and lowers most; of organisms also those of their own part, which is their shift minus
 * the mean of all, each at length 1.
 */
export const lensOperation: Operation = {
  name: 'logit-lens',
  version: 1,
  counts: { noun: 'token lists', by: 'cell' },
  axes: vectorAxes,
  cells(task, inputs) {
    return readingsOf(task, inputs).map(({ id, vector, among }): CellSpec => {
      const from = among ?? [vector]
      if (vector === null || !from.every((output) => output !== null)) return { id, group: id, own: null, inputs: [] }
      const apart = among ? { apart_from: digestOfJson(from.map(({ digest }) => digest)) } : {}
      return { id, group: id, own: { vector: vector.digest, ...apart }, inputs: from }
    })
  },
  batches: (_task, _inputs, groups) => chunks(groups, readTogether),
  // A direction costs what the last step of a token does; forecast as a whole token, that is on the safe side.
  cost: ({ shared }) => ({ decodeTokens: 0, prefillTokens: 1, depth: 1, bytes: 100 + 2 * Number(shared.top) * listedBytes }),
  runs: {
    on: 'sidecar',
    method: 'logit_lens',
    params(task, inputs, cells, ref) {
      const readings = new Map(readingsOf(task, inputs).map((reading) => [reading.id, reading]))
      const asked = cells.map(({ id }) => readings.get(id) as Reading)
      const apart = new Map(asked.flatMap(({ layer, among }) => (among ? [[String(layer), among] as const] : [])))
      const known = (output: CellOutput | null) => ref(output as CellOutput)
      return {
        by: task.shared.by as string,
        top: task.shared.top as number,
        groups: [...apart].map(([id, among]) => ({ id, vectors: among.map(known) })),
        cells: asked.map(({ id, layer, vector, among }) => ({
          id,
          vector: known(vector),
          ...(among ? { apart_from: String(layer) } : {}),
        })),
      }
    },
  },
}

/** A direction that is read: a vector, or what it is more than the mean of those `among` which it is, each at length 1. */
interface Reading {
  readonly id: string
  readonly layer: number
  readonly vector: CellOutput | null
  readonly among: readonly (CellOutput | null)[] | null
}

/** All vectors that are taken, then the own parts of organisms at each layer at which enough of them say what they share. */
function readingsOf({ data }: Task, inputs: Inputs): Reading[] {
  const wanted = new Set(data.vectors as string[])
  const taken = inputs
    .of('vectors')
    .flatMap(({ task, cells }) =>
      cells.map(({ spec, output }) => ({ ...vectorNamed(spec.id), organism: task.coordinate.organism, output })),
    )
    .filter((vector) => wanted.has(vectorId(vector)))
  const shifts = Map.groupBy(
    taken.filter(({ organism }) => organism !== undefined),
    ({ layer }) => layer,
  )
  const sharing = [...shifts.values()].filter(({ length }) => length >= fewestSharing)
  const all = taken.map(({ output, ...vector }) => ({ id: vectorId(vector), layer: vector.layer, vector: output, among: null }))
  const apart = sharing.flatMap((ofLayer) => {
    const among = ofLayer.map(({ output }) => output)
    return ofLayer.map(({ output, ...vector }) => {
      return { id: vectorId({ ...vector, method: apartMethod }), layer: vector.layer, vector: output, among }
    })
  })
  return [...all, ...apart]
}
