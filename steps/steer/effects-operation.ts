import { digestOfJson } from '../../engine/core/digest.ts'
import type { CellOutput, Inputs, Operation, ParentTask, Reader } from '../../engine/core/step-kind.ts'
import { steeredOf } from '../common/answer-ids.ts'
import { type AnswerRecord, responseScores } from '../common/answers.ts'
import { average } from '../common/metrics.ts'
import type { Plants } from '../common/plants.ts'
import { vectorNames } from '../common/projections.ts'
import { vectorId } from '../common/vectors.ts'
import { type ReadAnswer, repeatedShare } from './effects.ts'
import { steeringFiles } from './text.ts'

/** What all steered answers say, in words and as JSON: one cell. */
export const effectsOperation: Operation = {
  name: 'steer-effects',
  version: 7,
  counts: { noun: 'comparisons', by: 'cell' },
  cells(_task, inputs) {
    const read: string[] = []
    const outputs: CellOutput[] = []
    for (const { task, cells } of parentsOf(inputs)) {
      const own = cells.flatMap(({ output }) => output ?? [])
      if (own.length < cells.length) return [{ id: 'effects', group: 'effects', own: null, inputs: [] }]
      const { organism = null, promptSet = null } = task.coordinate
      read.push(digestOfJson([organism, promptSet, ...cells.map(({ spec }, index) => [spec.id, (own[index] as CellOutput).digest])]))
      for (const output of own) outputs.push(output)
    }
    return [{ id: 'effects', group: 'effects', own: { read: digestOfJson(read) }, inputs: outputs }]
  },
  batches: (_task, _inputs, groups) => [[...groups]],
  cost(_task, inputs) {
    const count = (parents: readonly ParentTask[]) => parents.reduce((sum, { cells }) => sum + cells.length, 0)
    const bytes = 2000 + 1000 * count(inputs.of('answers'))
    return { decodeTokens: 0, prefillTokens: 0, depth: 0, bytes, madeOf: count(parentsOf(inputs)) }
  },
  runs: {
    on: 'engine',
    async *run({ data, shared }, inputs, _cells, read) {
      const answers = await readAnswers(inputs, read)
      const of = { shifts: new Set((data.shifts ?? []) as string[]), plants: (shared.plants ?? {}) as Plants }
      yield { files: steeringFiles(answers, of), facts: { answers: answers.length } }
    },
  },
  folder: (task) => task.step,
  headline: 'summary.md',
}

function parentsOf(inputs: Inputs): ParentTask[] {
  return [...inputs.of('answers'), ...inputs.of('scores')]
}

/** Every answer with what was read of it. Scores lie in the order of the answers, those along every direction of each. */
async function readAnswers(inputs: Inputs, read: Reader): Promise<ReadAnswer[]> {
  const readings = new Map(inputs.of('scores').map((scores) => [scores.task.parents[0]?.task, scores]))
  const all: ReadAnswer[] = []
  for (const { task, cells } of inputs.of('answers')) {
    const { task: reading, cells: scores } = readings.get(task.id) as ParentTask
    const directions = vectorNames(reading).map(vectorId)
    let next = 0
    for (const { spec, output } of cells) {
      const record = (await read.json(output as CellOutput)) as unknown as AnswerRecord & { readonly response: string }
      const means = new Map<string, number>()
      for (const direction of directions) {
        const score = scores[next++] as (typeof scores)[number]
        means.set(direction, average(responseScores(score.spec.id, await read.scores(score.output as CellOutput), record)))
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
