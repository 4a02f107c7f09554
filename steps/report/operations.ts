import type { CellOutput, CellSpec, Inputs, Operation, Reader, Task, TextFiles } from '../../engine/core/step-kind.ts'
import { answersKey, expectedTokens, madeOfAnswers, readAnswers } from '../common/answers.ts'
import type { VectorName } from '../common/vectors.ts'
import { type AnswersChunk, answersChunk, answersName, dataOf, dataScript, valuesName } from './chunk.ts'
import { type ToldOfOrganisms, toldIn } from '../common/told.ts'
import type { Matrix } from '../common/matrix.ts'
import { reportParts } from './data.ts'
import { reportPage } from './page.ts'

/** Answers of one organism to one prompt set, with their scores, as the page loads them. */
export const answersOperation: Operation = {
  name: 'report-answers',
  version: 2,
  counts: { noun: 'report parts', by: 'cell' },
  cells(task, inputs) {
    const key = answersKey(inputs)
    return [{ id: 'answers', group: 'answers', own: key && { file: `${chunkName(task)}.js`, ...key.own }, inputs: key?.outputs ?? [] }]
  },
  batches: (_task, _inputs, groups) => [[...groups]],
  cost: (task, inputs) => ({
    decodeTokens: 0,
    prefillTokens: 0,
    depth: 0,
    bytes: bytesOf(task, inputs),
    madeOf: madeOfAnswers(inputs, (task.data.vectors as unknown[]).length),
  }),
  ofWholeSet: true,
  runs: {
    on: 'engine',
    async *run(task, inputs, _cells, read) {
      const answers = await readAnswers(inputs, task.data.vectors as unknown as VectorName[], read)
      const script = dataScript(chunkName(task), answersChunk(answers))
      yield { bytes: Buffer.from(script), facts: { answers: answers.length } }
    },
  },
  folder: (task) => `reports/${task.step}/data`,
}

/** The page, with the values by which answers are ordered beside it. */
export const reportOperation: Operation = {
  name: 'report',
  version: 12,
  counts: { noun: 'reports', by: 'cell' },
  cells(_task, inputs): CellSpec[] {
    const outputs = ['rank-overview', 'answers', 'told'].map((role) => inputs.of(role).map((parent) => parent.cells[0]?.output ?? null))
    const [overview, parts, told] = outputs as [(CellOutput | null)[], (CellOutput | null)[], (CellOutput | null)[]]
    const all = outputs.flat().filter((output) => output !== null)
    const known = all.length === outputs.flat().length
    const answers = Object.fromEntries(inputs.of('answers').map(({ task }, index) => [chunkName(task), parts[index]?.digest ?? null]))
    const more = told.length > 0 ? { told: told.map((output) => output?.digest ?? null) } : {}
    const own = known ? { overview: overview[0]?.digest ?? null, answers, ...more } : null
    return [{ id: 'report', group: 'report', own, inputs: known ? all : [] }]
  },
  batches: (_task, _inputs, groups) => [[...groups]],
  cost: () => ({ decodeTokens: 0, prefillTokens: 0, depth: 0, bytes: 1_000_000 }),
  runs: {
    on: 'engine',
    async *run(task, inputs, _cells, read) {
      const [overview] = inputs.of('rank-overview')
      const { files } = (await read.json(overview?.cells[0]?.output as CellOutput)) as unknown as TextFiles
      const matrix = JSON.parse(files['matrix.json'] as string) as Matrix
      const { data, columns } = await reportParts(task.shared.title as string, matrix, (organism, set) =>
        readChunk(inputs, organism, set, read),
      )
      const told: ToldOfOrganisms[] = []
      for (const { cells } of inputs.of('told')) {
        const said = toldIn(((await read.json(cells[0]?.output as CellOutput)) as unknown as TextFiles).files)
        if (said) told.push(said)
      }
      const values = columns.map((column, index) => [`data/${valuesName(index)}.js`, dataScript(valuesName(index), column)])
      yield {
        files: { 'report.html': reportPage(data, told), ...Object.fromEntries(values) },
        facts: { answers: columns[0]?.value.filter((value) => value !== null).length ?? 0 },
      }
    },
  },
  folder: (task) => `reports/${task.step}`,
  headline: 'report.html',
}

async function readChunk(inputs: Inputs, organism: string, promptSet: string, read: Reader): Promise<AnswersChunk | null> {
  const parent = inputs.of('answers').find(({ task }) => task.coordinate.organism === organism && task.coordinate.promptSet === promptSet)
  if (!parent) return null
  const script = await read.text(parent.cells[0]?.output as CellOutput)
  return dataOf(chunkName(parent.task), script) as AnswersChunk
}

function chunkName({ coordinate }: Task): string {
  return answersName(coordinate.organism as string, coordinate.promptSet as string)
}

/** A rough count, for forecasts: a token's text, and two bytes in base64 for each of its scores. */
function bytesOf(task: Task, inputs: Inputs): number {
  const { length } = task.data.vectors as unknown[]
  return expectedTokens(inputs).sum * (9 + 2.7 * length)
}
