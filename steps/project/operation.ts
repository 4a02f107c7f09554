import type { CellOutput, CellSpec, Operation } from '../../engine/core/step-kind.ts'
import { asked, baseline, indexed, projectionAxes, projectionId, vectorNames, vectorsByName } from './projections.ts'

/** Stored recordings are projected. */
export const projectOperation: Operation = {
  name: 'project',
  version: 1,
  counts: { noun: 'projections', by: 'cell' },
  axes: projectionAxes,
  cells(task, inputs) {
    const [recording] = inputs.of('recording')
    const vectorOutputs = vectorsByName(inputs)
    const prompts = [...new Set(recording?.cells.map(({ spec }) => spec.group))]
    return prompts.flatMap((prompt) =>
      vectorNames(task).map((name): CellSpec => {
        const { trait, layer, method } = name
        const activation = recording?.cell(`${prompt}@${layer}`)?.output ?? null
        const vector = vectorOutputs.get(`${trait}@${layer}:${method}`) ?? null
        const known = activation !== null && vector !== null
        return {
          id: projectionId(prompt, name),
          group: prompt,
          own: known ? { activation: activation.digest, vector: vector.digest, ...baseline(task, vector) } : null,
          inputs: known ? [activation, vector] : [],
        }
      }),
    )
  },
  batches: (_task, _inputs, groups) => [[...groups]],
  cost(_task, inputs, cell) {
    const [recording] = inputs.of('recording')
    const tokens = Number(recording?.cell(cell.id.slice(0, cell.id.indexOf(':')))?.output?.facts.tokens ?? 0)
    return { decodeTokens: 0, prefillTokens: 0, depth: 0, bytes: 4 * tokens }
  },
  runs: {
    on: 'sidecar',
    method: 'project',
    params(task, inputs, cells, ref) {
      const [recording] = inputs.of('recording')
      const activations = indexed<string>()
      const { vectors, cells: wanted } = asked(task, inputs, cells, ref, ({ prompt, layer }) => ({
        activation: activations.indexOf(`${prompt}@${layer}`),
      }))
      return {
        labels: task.tuning,
        activations: activations
          .keys()
          .map((id) => ({ ref: ref(recording?.cell(id)?.output as CellOutput), labels: { prompt_id: id.slice(0, id.lastIndexOf('@')) } })),
        vectors,
        cells: wanted,
      }
    },
  },
}
