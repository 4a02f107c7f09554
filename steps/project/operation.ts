import type { CellOutput, CellSpec, Operation } from '../../engine/core/step-kind.ts'
import { bytesPerState } from '../common/capture.ts'
import { asked, baseline, indexed, layersOf, projectionAxes, projectionId, vectorNames, vectorsByName } from './projections.ts'

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
          inputs: [activation, vector].filter((output) => output !== null),
        }
      }),
    )
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
