import { digestOfJson } from '../../engine/core/digest.ts'
import type { CellOutput, Inputs, Operation, ParentTask, Reader } from '../../engine/core/step-kind.ts'
import { steeredOf } from '../common/answer-ids.ts'
import { type AnswerRecord, responseScores } from '../common/answers.ts'
import { average } from '../common/metrics.ts'
import { projectionOf } from '../common/projections.ts'
import { vectorId } from '../common/vectors.ts'
import { type ReadAnswer, repeatedShare } from './effects.ts'
import { steeringFiles } from './text.ts'

/** What all steered answers say, in words and as JSON: one cell. */
export const effectsOperation: Operation = {
  name: 'steer-effects',
  version: 2,
  counts: { noun: 'comparisons', by: 'cell' },
  cells(_task, inputs) {
    const cells = cellsOf(inputs)
    const outputs = cells.map(({ output }) => output)
    const known = outputs.every((output) => output !== null)
    const read = digestOfJson(cells.map(({ task, cell, output }) => [task, cell, output?.digest ?? null]))
    return [{ id: 'effects', group: 'effects', own: known ? { read } : null, inputs: known ? outputs : [] }]
  },
  batches: (_task, _inputs, groups) => [[...groups]],
  cost(_task, inputs) {
    const answers = inputs.of('answers').flatMap(({ cells }) => cells).length
    return { decodeTokens: 0, prefillTokens: 0, depth: 0, bytes: 2000 + 1000 * answers, madeOf: cellsOf(inputs).length }
  },
  runs: {
    on: 'engine',
    async *run(_task, inputs, _cells, read) {
      const answers = await readAnswers(inputs, read)
      yield { files: steeringFiles(answers), facts: { answers: answers.length } }
    },
  },
  folder: (task) => task.step,
  headline: 'summary.md',
}

/** All answers and scores with the names that they go by. */
function cellsOf(inputs: Inputs): { readonly task: string; readonly cell: string; readonly output: CellOutput | null }[] {
  return [...inputs.of('answers'), ...inputs.of('scores')].flatMap(({ task, cells }) =>
    cells.map(({ spec, output }) => ({ task: task.id, cell: spec.id, output })),
  )
}

async function readAnswers(inputs: Inputs, read: Reader): Promise<ReadAnswer[]> {
  const readings = new Map(inputs.of('scores').map((scores) => [scores.task.parents[0]?.task, scores]))
  const all: ReadAnswer[] = []
  for (const { task, cells } of inputs.of('answers')) {
    const scores = Map.groupBy((readings.get(task.id) as ParentTask).cells, ({ spec }) => projectionOf(spec.id).prompt)
    for (const { spec, output } of cells) {
      const record = (await read.json(output as CellOutput)) as unknown as AnswerRecord & { readonly response: string }
      const means = new Map<string, number>()
      for (const score of scores.get(spec.id) ?? []) {
        const { trait, layer, method } = projectionOf(score.spec.id)
        const along = responseScores(spec.id, await read.scores(score.output as CellOutput), record)
        means.set(vectorId({ trait, layer: Number(layer), method }), average(along))
      }
      all.push({
        organism: task.coordinate.organism ?? null,
        promptSet: task.coordinate.promptSet as string,
        ...steeredOf(spec.id),
        text: record.prompt,
        response: record.response,
        repeats: repeatedShare(record.tokens.slice(record.prompt_end)),
        means,
      })
    }
  }
  return all
}
