import type { Json } from '../../engine/core/json.ts'
import type { ParamSchema } from '../../engine/core/schema.ts'
import type { Problem, Step, StepKind, Task } from '../../engine/core/step-kind.ts'
import { paramOrigins } from '../common/origins.ts'
import { type AnswerTasks, answerTasks, sidesOf } from '../common/sides.ts'
import { aStep, namedSteps, stepNames } from '../common/step-names.ts'
import { tellingKinds } from '../common/told.ts'
import { answersOperation, reportOperation } from './operations.ts'

const schema: ParamSchema = {
  type: 'object',
  required: ['of'],
  properties: {
    of: { type: 'string', description: 'The rank step that is shown.', 'x-ref': 'step', 'x-affects': 'result' },
    with: {
      ...stepNames,
      description:
        'Steps whose findings of each organism stand on the page too: a compare, a logit_lens or a steer step, or several of them.',
      'x-affects': 'result',
    },
    title: { type: 'string', minLength: 1, description: 'Title of the page. Default: the name of the step.', 'x-affects': 'result' },
  },
}

/**
 * A page to explore a ranking: heat map, answers in order, tokens coloured by score. What it shows at once is in it;
 * answers lie beside it, a file for each organism and prompt set, and are loaded when one of them is opened.
 */
export const report: StepKind = {
  kind: 'report',
  description: 'Show a ranking as an HTML page.',
  schema,
  tasks(step, context) {
    const ranking = context.step(step.params.of as string)
    if (ranking.step.kind !== 'rank') return { tasks: [], problems: [notRankings(ranking.step)] }
    const scores = context.step(ranking.step.params.of as string)
    const { organism, clean } = sidesOf(scores.step, context)
    const [own, other] = [organism[0], ranking.step.params.mode === 'raw' ? null : (clean[0] ?? null)]
    if (ranking.tasks.length === 0 || own === undefined) return { tasks: [], problems: [] }
    const parts = answerTasks(scores.tasks, own, other, context).map((answers) => answersTask(step, answers))
    const told =
      step.params.with === undefined ? [] : namedSteps(step, 'with').map((named) => ({ ...named, from: context.step(named.name) }))
    const problems = told.flatMap(({ from, place }) => (tellingKinds.has(from.step.kind) ? [] : [notTelling(from.step, place)]))
    const telling = told.flatMap(({ from }) => from.tasks.filter(({ operation }) => operation.name === tellingKinds.get(from.step.kind)))
    return { tasks: [...parts, pageTask(step, ranking.tasks, parts, telling)], problems }
  },
}

function notRankings(step: Step): Problem {
  return { rule: 'not-rankings', message: `"${step.name}" is ${aStep(step)} and ranks nothing`, hint: 'name a rank step', path: ['of'] }
}

function notTelling(step: Step, path: Problem['path']): Problem {
  return {
    rule: 'not-told',
    message: `"${step.name}" is ${aStep(step)} and finds nothing of organisms`,
    hint: 'name a compare, a logit_lens or a steer step',
    path,
  }
}

function answersTask(step: Step, { organism, promptSet, parents, scores }: AnswerTasks): Task {
  const stage = `${step.name}.answers`
  return {
    id: `${stage}/${organism}/${promptSet}`,
    step: step.name,
    stage,
    row: scores.row,
    coordinate: { organism, promptSet },
    operation: answersOperation,
    parents,
    state: null,
    shared: {},
    data: { vectors: scores.data.vectors as Json },
    tuning: {},
    origins: {},
  }
}

function pageTask(step: Step, rankings: readonly Task[], parts: readonly Task[], telling: readonly Task[]): Task {
  const overviews = rankings.filter(({ operation }) => operation.name === 'rank-overview')
  return {
    id: step.name,
    step: step.name,
    stage: step.name,
    row: step.name,
    coordinate: {},
    operation: reportOperation,
    parents: [
      ...overviews.map(({ id }) => ({ task: id, role: 'rank-overview' })),
      ...parts.map(({ id }) => ({ task: id, role: 'answers' })),
      ...telling.map(({ id }) => ({ task: id, role: 'told' })),
    ],
    state: null,
    shared: { title: step.params.title ?? step.name },
    data: {},
    tuning: {},
    origins: paramOrigins(step, ['title']),
  }
}
