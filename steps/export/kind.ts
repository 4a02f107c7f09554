import type { Json } from '../../engine/core/json.ts'
import type { ParamSchema } from '../../engine/core/schema.ts'
import type { CellSpec, ExpandContext, Inputs, Operation, Problem, Step, StepKind, Task } from '../../engine/core/step-kind.ts'
import { answersKey, expectedTokens, madeOfAnswers, readAnswers } from '../common/answers.ts'
import { type AnswerTasks, answerTasks, sidesOf } from '../common/sides.ts'
import type { VectorName } from '../common/vectors.ts'
import { parquetBytes } from './parquet.ts'
import { responseTable, tokenTable } from './tables.ts'
import { aStep } from '../common/step-names.ts'

const schema: ParamSchema = {
  type: 'object',
  required: ['of'],
  properties: {
    of: { type: 'string', description: 'The project step whose scores are written.', 'x-ref': 'step', 'x-affects': 'result' },
    tokens: {
      type: 'boolean',
      default: false,
      description: 'Write a table with one row a token, too.',
      'x-affects': 'result',
    },
  },
}

/** Scores as Parquet tables, a file for each organism and prompt set, so that one more organism writes its own only. */
export const exportScores: StepKind = {
  kind: 'export',
  description: 'Write scores as Parquet tables.',
  schema,
  tasks(step, context) {
    const scores = context.step(step.params.of as string)
    if (scores.step.kind !== 'project') {
      const message = `"${scores.step.name}" is ${aStep(scores.step)} and has no scores`
      return { tasks: [], problems: [{ rule: 'not-scores', message, hint: 'name a project step', path: ['of'] }] }
    }
    const sides = exportedSides(scores.step, context)
    if ('rule' in sides) return { tasks: [], problems: [sides] }
    const tasks = answerTasks(scores.tasks, sides.organism, sides.clean, context)
    return { tasks: tasks.map((task) => exportTask(step, task)), problems: [] }
  },
}

function exportedSides(scores: Step, context: ExpandContext): { organism: string; clean: string | null } | Problem {
  const { organism, clean } = sidesOf(scores, context)
  if (organism.length === 1 && clean.length <= 1) return { organism: organism[0] as string, clean: clean[0] ?? null }
  const message =
    organism.length === 1
      ? `"${scores.name}" projects ${clean.length} replays of "${organism[0]}"; a table has one clean side`
      : `"${scores.name}" projects ${organism.length} generate steps; a table needs exactly one`
  return { rule: 'sides', message, hint: 'project them in steps of their own', path: ['of'] }
}

function exportTask(step: Step, { organism, promptSet, parents, scores }: AnswerTasks): Task {
  return {
    id: `${step.name}/${organism}/${promptSet}`,
    step: step.name,
    stage: step.name,
    row: scores.row,
    coordinate: { organism, promptSet },
    operation: exportOperation,
    parents,
    state: null,
    shared: {},
    data: { vectors: scores.data.vectors as Json, tables: step.params.tokens ? ['responses', 'tokens'] : ['responses'] },
    tuning: {},
    origins: {},
  }
}

const exportOperation: Operation = {
  name: 'export',
  version: 2,
  counts: { noun: 'tables', by: 'cell' },
  cells(task, inputs) {
    const key = answersKey(inputs)
    // No name of an organism or prompt set holds the sign between them.
    const file = `${task.coordinate.organism}~${task.coordinate.promptSet}.parquet`
    return (task.data.tables as string[]).map(
      (table): CellSpec => ({ id: table, group: table, own: key && { table, file, ...key.own }, inputs: key?.outputs ?? [] }),
    )
  },
  batches: (_task, _inputs, groups) => [[...groups]],
  cost: (task, inputs, cell) => ({
    decodeTokens: 0,
    prefillTokens: 0,
    depth: 0,
    bytes: bytesOf(task, inputs, cell.id),
    madeOf: madeOfAnswers(inputs, vectorsOf(task).length),
  }),
  ofWholeSet: true,
  runs: {
    on: 'engine',
    async *run(task, inputs, cells, read) {
      const answers = await readAnswers(inputs, vectorsOf(task), read)
      const labels = { organism: task.coordinate.organism as string, prompt_set: task.coordinate.promptSet as string }
      for (const { id } of cells) {
        const columns = id === 'tokens' ? tokenTable(labels, answers) : responseTable(labels, answers)
        yield { bytes: parquetBytes(columns), facts: { rows: columns[0]?.data.length ?? 0 } }
      }
    },
  },
  folder: (task, cell) => `scores/${task.step}/${cell.id}`,
}

/** A rough count, for forecasts: a row of metrics, a token's two scores. What a file takes besides is left out: see `ofWholeSet`. */
function bytesOf(task: Task, inputs: Inputs, table: string): number {
  const scores = inputs.of('organism').flatMap((parent) => parent.cells)
  if (table === 'responses') return scores.length * inputs.of('clean').length * 120 + scores.length * 60
  return expectedTokens(inputs).sum * vectorsOf(task).length * 9
}

function vectorsOf(task: Task): readonly VectorName[] {
  return task.data.vectors as unknown as VectorName[]
}
