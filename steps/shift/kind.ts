import type { Json } from '../../engine/core/json.ts'
import { namePattern } from '../../engine/core/names.ts'
import type { ParamSchema } from '../../engine/core/schema.ts'
import type { ExpandContext, Problem, Step, StepKind, Task } from '../../engine/core/step-kind.ts'
import { keepsNothing, type Recorded } from '../common/capture.ts'
import { layerList } from '../common/layers.ts'
import { paramOrigin } from '../common/origins.ts'
import { hiddenOfRecordings, recordedLayers, recordingsOf } from '../common/readings.ts'
import { sidesOf } from '../common/sides.ts'
import { namedSteps, stepNames } from '../common/step-names.ts'
import { shiftMethod, type VectorName } from '../common/vectors.ts'
import { shiftOperation } from './operation.ts'

const schema: ParamSchema = {
  type: 'object',
  required: ['of'],
  properties: {
    of: {
      ...stepNames,
      description: 'Two steps with recordings of the same answers: that of the organisms, and its replay through the clean model.',
      'x-affects': 'result',
    },
    prompts: {
      type: 'array',
      items: { type: 'string', pattern: namePattern },
      minItems: 1,
      uniqueItems: true,
      description: 'On answers to which prompt sets. Default: to all.',
      'x-affects': 'result',
    },
    layers: {
      ...layerList,
      description: 'Which of the layers that both record, counted from 0. Default: all of them.',
      'x-affects': 'result',
    },
  },
}

/**
 * What an adapter does to the residual stream whatever the trait: the mean difference between an organism and the clean
 * model on the organism's answers, a vector of each organism and layer.
 */
export const shift: StepKind = {
  kind: 'shift',
  description: 'Make a vector of each organism: its mean difference from the clean model.',
  schema,
  tasks(step, context) {
    const sides = recordedSides(step, context)
    if (sides === null) return { tasks: [], problems: [] }
    if ('rule' in sides) return { tasks: [], problems: [sides] }
    const both = sides.organism.layers.filter((layer) => sides.clean.layers.includes(layer))
    const layers = (step.params.layers as number[] | undefined) ?? both
    const wanted = step.params.prompts as string[] | undefined
    const sets = [...new Set(sides.organism.recordings.map(setOf))]
    const problems = [
      ...layers.flatMap((layer, index) => (both.includes(layer) ? [] : [notRecorded(layer, index, sides)])),
      ...(wanted ?? []).flatMap((set, index) => (sets.includes(set) ? [] : [notAnswered(set, index, sets, sides)])),
    ]
    const chosen = sides.organism.recordings.filter((recorded) => wanted?.includes(setOf(recorded)) ?? true)
    const byOrganism = Map.groupBy(chosen, ({ answers }) => answers.coordinate.organism as string)
    const moved = [...byOrganism].filter(([organism]) => !isBase(organism, context))
    return { tasks: moved.map(([organism, recordings]) => shiftTask(step, { organism, layers, recordings, sides })), problems }
  },
}

interface Side {
  readonly name: string
  readonly layers: readonly number[]
  readonly recordings: readonly Recorded[]
  /** Length of a state. */
  readonly hidden: number
}

interface TwoSides {
  readonly organism: Side
  readonly clean: Side
}

/** Null where a model cannot be read or nothing is asked, which is said elsewhere. */
function recordedSides(step: Step, context: ExpandContext): TwoSides | Problem | null {
  const { organism, clean } = sidesOf(step, context)
  const [first, second] = [organism[0], clean[0]]
  if (organism.length !== 1 || clean.length !== 1 || first === undefined || second === undefined) {
    const message = 'it takes a step with answers and one replay of them'
    return { rule: 'sides', message, hint: 'e.g. `of: [answers, clean]`', path: ['of'] }
  }
  const lacking = [first, second].map((name) => recordingProblem(step, name, context)).find((problem) => problem !== null)
  if (lacking) return lacking
  const [own, others] = [sideOf(first, context), sideOf(second, context)]
  if (!own || !others) return null
  if (own.hidden === others.hidden) return { organism: own, clean: others }
  const message = `"${first}" records states of ${own.hidden} numbers, "${second}" of ${others.hidden}`
  return { rule: 'sides', message, hint: 'replay the answers through the base of the organisms', path: ['of'] }
}

function recordingProblem(step: Step, name: string, context: ExpandContext): Problem | null {
  const from = context.step(name).step
  const path = namedSteps(step, 'of').find((named) => named.name === name)?.place ?? ['of']
  if (!recordedLayers(from)) {
    const hint = `give it \`${from.kind === 'imported' ? 'recordings: ' : 'capture: { layers: [...] }'}\``
    return { rule: 'not-recorded', message: `step "${name}" records nothing`, hint, path }
  }
  if (!keepsNothing(from)) return null
  const message = `step "${name}" keeps none of its recordings (\`raw: never\`)`
  return { rule: 'not-recorded', message, hint: 'with `raw: evict-after-projection` they are removed once they have been read', path }
}

function sideOf(name: string, context: ExpandContext): Side | null {
  const { step, tasks } = context.step(name)
  const hidden = hiddenOfRecordings(step, tasks, context)
  if (hidden === undefined) return null
  return { name, hidden, recordings: recordingsOf(step, tasks, context), layers: recordedLayers(step) ?? [] }
}

function notRecorded(layer: number, index: number, { organism, clean }: TwoSides): Problem {
  const lacking = organism.layers.includes(layer) ? clean : organism
  const message = `step "${lacking.name}" does not record layer ${layer} (it records ${lacking.layers.join(', ')})`
  return { rule: 'layer-not-captured', message, hint: `add ${layer} to the layers of "${lacking.name}"`, path: ['layers', index] }
}

function setOf({ answers }: Recorded): string {
  return answers.coordinate.promptSet as string
}

function notAnswered(set: string, index: number, sets: readonly string[], { organism }: TwoSides): Problem {
  const message = `step "${organism.name}" has no answers to prompt set "${set}", only to ${sets.join(', ')}`
  return { rule: 'not-answered', message, path: ['prompts', index] }
}

/** An organism that has no adapter is the clean model, which nothing moves. */
function isBase(name: string, { sources }: ExpandContext): boolean {
  return sources.organisms.some((organism) => organism.name === name && organism.digest === null)
}

interface OfOrganism {
  readonly organism: string
  readonly layers: readonly number[]
  readonly recordings: readonly Recorded[]
  readonly sides: TwoSides
}

function shiftTask(step: Step, { organism, layers, recordings, sides }: OfOrganism): Task {
  const vectors = layers.map((layer): VectorName => ({ trait: organism, layer, method: shiftMethod }))
  const answers = recordings.map((recorded) => recorded.answers)
  const clean = answers.flatMap(({ id }) => sides.clean.recordings.filter((recorded) => recorded.answers.id === id))
  const as = (role: string, ids: readonly { readonly id: string }[]) => ids.map(({ id }) => ({ task: id, role }))
  return {
    id: `${step.name}/${organism}`,
    step: step.name,
    stage: step.name,
    row: answers[0]?.row ?? step.name,
    coordinate: { organism, trait: organism },
    operation: shiftOperation,
    parents: [...as('organism', recordings), ...as('clean', clean), ...as('answers', answers)],
    state: null,
    shared: { hidden: sides.organism.hidden },
    data: { vectors: vectors as unknown as Json },
    tuning: {},
    origins: { layer: paramOrigin(step.name, 'layers') },
  }
}
