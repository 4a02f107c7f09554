import type { ParamSchema } from '../../engine/core/schema.ts'
import type { CellOutput, Operation, StepKind } from '../../engine/core/step-kind.ts'
import { paramOrigins } from '../common/origins.ts'
import { rankingsOf } from '../common/rankings.ts'
import { reportData, type StoredRanking } from './data.ts'
import { reportPage } from './page.ts'

const schema: ParamSchema = {
  type: 'object',
  required: ['of'],
  properties: {
    of: { type: 'string', description: 'The rank step that is shown.', 'x-ref': 'step', 'x-affects': 'result' },
    title: { type: 'string', minLength: 1, description: 'Title of the page. Default: the name of the step.', 'x-affects': 'result' },
  },
}

/** One self-contained HTML page of a ranking: heat map, ranked answers, tokens coloured by score. */
export const report: StepKind = {
  kind: 'report',
  description: 'Show a ranking as one self-contained HTML page.',
  schema,
  tasks(step, context) {
    const ranking = context.step(step.params.of as string)
    if (ranking.step.kind !== 'rank') {
      const message = `"${ranking.step.name}" is a ${ranking.step.kind} step and ranks nothing`
      return { tasks: [], problems: [{ rule: 'not-rankings', message, hint: 'name a rank step', path: ['of'] }] }
    }
    const task = {
      id: step.name,
      step: step.name,
      stage: step.name,
      row: step.name,
      coordinate: {},
      operation: reportOperation,
      parents: ranking.tasks.map((parent) => ({ task: parent.id, role: parent.operation.name })),
      state: null,
      shared: { title: step.params.title ?? step.name },
      data: {},
      tuning: {},
      origins: paramOrigins(step, ['title']),
    }
    return { tasks: ranking.tasks.length > 0 ? [task] : [], problems: [] }
  },
}

const reportOperation: Operation = {
  name: 'report',
  version: 1,
  counts: { noun: 'reports', by: 'cell' },
  cells(_task, inputs) {
    const rankings = rankingsOf([...inputs.of('rank'), ...inputs.of('rank-overview')])
    return [{ id: 'report', group: 'report', own: rankings?.own ?? null, inputs: rankings?.outputs ?? [] }]
  },
  batches: (_task, _inputs, groups) => [[...groups]],
  cost: () => ({ decodeTokens: 0, prefillTokens: 0, depth: 0, bytes: 1_000_000 }),
  runs: {
    on: 'engine',
    async run(task, inputs, _cells, read) {
      const stored = async (output: CellOutput) => ((await read.json(output)) as unknown as StoredRanking).files
      const [overview] = inputs.of('rank-overview')
      const matrix = await stored(overview?.cells[0]?.output as CellOutput)
      const rankings: StoredRanking['files'][] = []
      for (const parent of inputs.of('rank')) for (const { output } of parent.cells) rankings.push(await stored(output as CellOutput))
      const data = reportData(task.shared.title as string, matrix['matrix.json'] as string, rankings)
      return [{ files: { 'report.html': reportPage(data) }, facts: { answers: data.answers.length } }]
    },
  },
  folder: (task) => `reports/${task.step}`,
  headline: 'report.html',
}
