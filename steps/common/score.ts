import type { Json } from '../../engine/core/json.ts'
import type { CellOutput, CellSpec, Inputs, LoadedState, Operation, ParentTask, Task } from '../../engine/core/step-kind.ts'
import { byLength, captureComponents, captureOrigins, type Reading, readTokens } from './capture.ts'
import { asked, baseline, indexed, projectedVectors, projectionAxes, projectionOf } from './projections.ts'

/**
 * Answers are read again and projected in the same pass; no recording is stored (`raw: never`). Its scores are those
 * that the operation `project` computes from recordings.
 */
const scoreOperation: Operation = {
  name: 'score',
  version: 1,
  counts: { noun: 'projections', by: 'cell' },
  axes: projectionAxes,
  cells(task, inputs) {
    const vectors = projectedVectors(task, inputs)
    return answersOf(inputs).cells.flatMap(({ spec, output: answer }) =>
      vectors.map(({ layer, end, output: vector }): CellSpec => {
        const known = answer !== null && vector !== null
        return {
          id: spec.id + end,
          group: spec.id,
          own: known ? { tokens: answer.digest, layer, vector: vector.digest, ...baseline(task, vector) } : null,
          inputs: known ? [answer, vector] : [],
        }
      }),
    )
  },
  batches: (task, inputs, groups) => byLength(answersOf(inputs), groups, task.tuning.batchSize as number),
  together: (task) => task.tuning.batchSize as number,
  cost(task, inputs, cell) {
    const { facts } = (task.state as LoadedState).base
    const { read, recorded } = readTokens(task, inputs, cell.group)
    return { decodeTokens: 0, prefillTokens: read, depth: (Number(projectionOf(cell.id).layer) + 1) / facts.layers, bytes: 4 * recorded }
  },
  runs: {
    on: 'sidecar',
    method: 'score',
    params(task, inputs, cells, ref) {
      const answers = answersOf(inputs)
      const responses = indexed<string>()
      const { vectors, cells: wanted } = asked(task, inputs, cells, ref, ({ prompt, layer }) => ({
        response: responses.indexOf(prompt),
        layer: Number(layer),
      }))
      return {
        labels: task.tuning.labels as Json,
        responses: responses
          .keys()
          .map((prompt) => ({ response: ref(answers.cell(prompt)?.output as CellOutput), labels: { prompt_id: prompt } })),
        component: task.shared.component as Json,
        positions: task.shared.positions as Json,
        vectors,
        cells: wanted,
      }
    },
  },
}

/** A task that projects recordings as one where nothing is recorded: of a pass through the model that keeps nothing else. */
export function scoring(task: Task, reading: Reading): Task {
  return {
    ...task,
    operation: scoreOperation,
    parents: [{ task: reading.answers.id, role: 'answers' }, ...task.parents.filter(({ role }) => role === 'vectors')],
    state: reading.state,
    shared: { ...captureComponents(reading), ...task.shared },
    tuning: { labels: task.tuning, batchSize: reading.batchSize },
    origins: { ...captureOrigins(reading), ...task.origins },
  }
}

function answersOf(inputs: Inputs): ParentTask {
  return inputs.of('answers')[0] as ParentTask
}
