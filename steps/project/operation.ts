import type { CellOutput, CellSpec, Operation } from '../../engine/core/step-kind.ts'
import { bytesPerState } from '../common/capture.ts'
import { asked, baseline, indexed, layersOf, projectedVectors, projectionAxes } from '../common/projections.ts'

/** Stored recordings are projected. */
export const projectOperation: Operation = {
  name: 'project',
  version: 1,
  counts: { noun: 'projections', by: 'cell' },
  axes: projectionAxes,
  cells(task, inputs) {
    const [recording] = inputs.of('recording')
    const vectors = projectedVectors(task, inputs)
    const layers = new Set(vectors.map(({ layer }) => layer))
    const prompts = [...new Set(recording?.cells.map(({ spec }) => spec.group))]
    return prompts.flatMap((prompt) => {
      const activations = new Map([...layers].map((layer) => [layer, recording?.cell(`${prompt}@${layer}`)?.output ?? null]))
      return vectors.map(({ layer, end, output: vector }): CellSpec => {
        const activation = activations.get(layer) ?? null
        const known = activation !== null && vector !== null
        return {
          id: prompt + end,
          group: prompt,
          own: known ? { activation: activation.digest, vector: vector.digest, ...baseline(task, vector) } : null,
          inputs: known ? [activation, vector] : [activation, vector].filter((output) => output !== null),
        }
      })
    })
  },
  batches: (_task, _inputs, groups) => [[...groups]],
  cost(task, inputs, cell) {
    const [recording] = inputs.of('recording')
    if (!recording) return { decodeTokens: 0, prefillTokens: 0, depth: 0, bytes: 0 }
    const made = recording.cell(cell.id.slice(0, cell.id.indexOf(':')))?.output
    const tokens = Number(made?.facts.tokens ?? recording.task.tuning.mostTokens ?? 0)
    const states = made?.slot.format === 'tensor' ? made.slot.length : tokens * bytesPerState(recording.task)
    return { decodeTokens: 0, prefillTokens: 0, depth: 0, bytes: 4 * tokens, readBytes: layersOf(task) * states }
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
