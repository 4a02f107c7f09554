import type { Json } from '../../engine/core/json.ts'
import { namePattern } from '../../engine/core/names.ts'
import { type ParamSchema, resultComponents } from '../../engine/core/schema.ts'
import type { ExpandContext, Origin, Problem, Step, StepKind, Task } from '../../engine/core/step-kind.ts'
import { metricNames } from '../common/metrics.ts'
import { paramOrigins } from '../common/origins.ts'
import { plantedOf, type Plants } from '../common/plants.ts'
import { answersIn } from '../common/readings.ts'
import { sidesOf } from '../common/sides.ts'
import { vectorCategory, type VectorName } from '../common/vectors.ts'
import { rankOperation } from './operations.ts'
import { overviewOperation } from './overview.ts'
import { aStep } from '../common/step-names.ts'

const schema: ParamSchema = {
  type: 'object',
  required: ['of'],
  properties: {
    of: { type: 'string', description: 'The project step whose scores are ranked.', 'x-ref': 'step', 'x-affects': 'result' },
    mode: {
      type: 'string',
      enum: ['diff', 'raw'],
      default: 'diff',
      description: 'diff: organism minus clean model; raw: the organism alone.',
      'x-affects': 'result',
    },
    by: {
      type: 'string',
      enum: [...metricNames],
      default: 'response_mean',
      description: 'The metric that orders responses.',
      'x-affects': 'result',
    },
    top: { type: 'integer', minimum: 1, default: 20, description: 'How many responses are listed.', 'x-affects': 'result' },
    folder: {
      type: 'string',
      pattern: namePattern,
      default: 'top_activating',
      description: 'Where its tables are shown: a folder below analysis/. Every rank step has one of its own.',
      'x-affects': 'presentation',
      'x-alone': true,
    },
  },
}

/** Ranks responses by how far they point along a trait, or how much further than the clean model's. */
export const rank: StepKind = {
  kind: 'rank',
  description: 'Rank responses along every trait.',
  schema,
  tasks(step, context) {
    const scores = context.step(step.params.of as string)
    if (scores.step.kind !== 'project') {
      return {
        tasks: [],
        problems: [
          {
            rule: 'not-scores',
            message: `"${scores.step.name}" is ${aStep(scores.step)} and has no scores`,
            hint: 'name a project step',
            path: ['of'],
          },
        ],
      }
    }
    const sides = rankedSides(step, scores.step, context)
    if ('problem' in sides) return { tasks: [], problems: [sides.problem] }
    const sets = [...new Set(scores.tasks.map((task) => task.coordinate.promptSet as string))]
    const rankings = sets.map((set) => rankTask(step, set, scores.tasks, sides, context))
    const organisms = [...new Set(scores.tasks.map((task) => task.coordinate.organism as string))]
    return {
      tasks:
        rankings.length > 0
          ? [...rankings, overviewTask(step, rankings, organisms, plantedOf(context.sources, organisms, rankedTraits(rankings)))]
          : [],
      problems: [],
    }
  },
}

const organismList: Origin = { from: 'workflow', path: ['organisms', 'from'] }

interface RankedSides {
  readonly organism: string
  readonly clean: string | null
}

/** Which of the projected steps is the organisms' side and which the clean one. */
function rankedSides(step: Step, scores: Step, context: ExpandContext): RankedSides | { readonly problem: Problem } {
  const { organism, clean } = sidesOf(scores, context)
  if (organism.length !== 1) {
    const message = `"${scores.name}" projects ${organism.length} generate steps; a ranking needs exactly one`
    return { problem: { rule: 'sides', message, path: ['of'] } }
  }
  if (step.params.mode === 'raw') return { organism: organism[0] as string, clean: null }
  if (clean.length !== 1) {
    const message = `mode "diff" needs the clean side, but "${scores.name}" projects ${clean.length} replays of "${organism[0]}"`
    return {
      problem: { rule: 'sides', message, hint: `add a replay step to \`of\` of "${scores.name}", or rank with mode: raw`, path: [] },
    }
  }
  return { organism: organism[0] as string, clean: clean[0] as string }
}

function rankTask(step: Step, set: string, scores: readonly Task[], sides: RankedSides, context: ExpandContext): Task {
  const here = scores.filter((task) => task.coordinate.promptSet === set)
  const from = (side: string, role: string) => here.filter((task) => task.coordinate.side === side).map((task) => ({ task: task.id, role }))
  const answers = answersIn(context.step(sides.organism).tasks).filter((task) => task.coordinate.promptSet === set)
  const named = (here[0]?.data.vectors ?? []) as unknown as VectorName[]
  return {
    id: `${step.name}/${set}`,
    step: step.name,
    stage: step.name,
    row: step.name,
    coordinate: { promptSet: set },
    operation: rankOperation,
    parents: [
      ...from(sides.organism, 'organism'),
      ...(sides.clean ? from(sides.clean, 'clean') : []),
      ...answers.map((task) => ({ task: task.id, role: 'answers' })),
    ],
    state: null,
    shared: { ...resultComponents(schema, step.params, ['mode', 'by', 'top']), prompt_set: set },
    data: {
      vectors: named.map((vector) => ({ ...vector, category: vectorCategory(vector, context.sources, 'trait') })) as unknown as Json,
      mode: step.params.mode as string,
      by: step.params.by as string,
      top: step.params.top as number,
      promptSet: set,
      folder: step.params.folder as string,
    },
    tuning: {},
    origins: paramOrigins(step, ['mode', 'by', 'top']),
  }
}

function rankedTraits(rankings: readonly Task[]): string[] {
  return rankings.flatMap(({ data }) => (data.vectors as unknown as VectorName[]).map(({ trait }) => trait))
}

function overviewTask(step: Step, rankings: readonly Task[], organisms: readonly string[], plants: Plants): Task {
  return {
    id: `${step.name}/overview`,
    step: step.name,
    stage: step.name,
    row: step.name,
    coordinate: {},
    operation: overviewOperation,
    parents: rankings.map((task) => ({ task: task.id, role: 'rankings' })),
    state: null,
    shared: { organisms: [...organisms], ...(Object.keys(plants).length > 0 ? { plants: plants as unknown as Json } : {}) },
    data: { folder: step.params.folder as string },
    tuning: {},
    origins: { organisms: organismList, plants: organismList },
  }
}
