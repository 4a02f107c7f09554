import type { Json } from '../../engine/core/json.ts'
import type { ParamSchema } from '../../engine/core/schema.ts'
import type { ExpandContext, Problem, Step, StepKind, Task } from '../../engine/core/step-kind.ts'
import { keepsNothing, type Reading, type Recorded } from '../common/capture.ts'
import { paramOrigins } from '../common/origins.ts'
import { selection } from '../common/pick.ts'
import { stepNames } from '../common/step-names.ts'
import { methodsSchema } from '../common/vector-steps.ts'
import { readingsOf, recordedLayers, recordingsOf } from '../common/readings.ts'
import { byPlace, layersSchema, type WantedLayer } from './layers.ts'
import { type Onto, vectorsOnto } from './onto.ts'
import { projectOperation } from './operation.ts'
import { scoring } from '../common/score.ts'

const schema: ParamSchema = {
  type: 'object',
  required: ['of', 'onto'],
  properties: {
    of: {
      description: 'The steps whose recordings are projected: a generate step with `capture`, a replay step, an imported one.',
      ...stepNames,
      'x-affects': 'result',
    },
    onto: {
      ...stepNames,
      description: 'The steps that have the vectors: an extract, a vectors, a random or a shift step, or several of them.',
      'x-affects': 'result',
    },
    traits: selection('trait', 'Which of its traits.'),
    layers: layersSchema,
    methods: methodsSchema,
    centered: {
      type: 'boolean',
      default: false,
      description: "Subtract the vector's baseline, halfway between its two means.",
      'x-affects': 'result',
    },
  },
}

/** Length of every recorded token along every trait vector: `h · v̂`, in float32. */
export const project: StepKind = {
  kind: 'project',
  description: 'Project recordings onto trait vectors.',
  schema,
  tasks(step, context) {
    const of = [step.params.of].flat() as string[]
    const onto = vectorsOnto(step, context)
    const problems = [
      ...onto.problems,
      ...of.flatMap((name, index) => recordingProblems(step, name, index, onto.wanted, context)),
      ...otherModel(
        onto.tasks,
        of.flatMap((name) => readingsOf(context.step(name).step, context.step(name).tasks, context)),
      ),
    ]
    const tasks = of.flatMap((name) => {
      const from = context.step(name)
      const taskOf = (recorded: Recorded) => projectionTask(step, recorded, onto, of.length > 1)
      if (!keepsNothing(from.step)) return recordingsOf(from.step, from.tasks, context).map(taskOf)
      return readingsOf(from.step, from.tasks, context).map((reading) => scoring(taskOf(reading), reading))
    })
    return { tasks, problems }
  },
}

/** The task that projects what was recorded of answers. */
function projectionTask(step: Step, recorded: Recorded, { tasks, vectors }: Onto, manySides: boolean): Task {
  const { answers, step: side } = recorded
  const { organism, promptSet } = answers.coordinate
  return {
    id: `${step.name}/${organism}/${promptSet}${manySides ? `/${side}` : ''}`,
    step: step.name,
    stage: step.name,
    row: answers.row,
    coordinate: { ...answers.coordinate, side },
    operation: projectOperation,
    parents: [{ task: recorded.id, role: 'recording' }, ...tasks.map((task) => ({ task: task.id, role: 'vectors' }))],
    state: null,
    shared: { centered: step.params.centered as boolean },
    data: { vectors: vectors as unknown as Json },
    tuning: { organism: organism ?? '', prompt_set: promptSet ?? '', side },
    origins: paramOrigins(step, ['centered']),
  }
}

/** Vectors of a model whose states have another length than those that are recorded. */
function otherModel(tasks: readonly Task[], readings: readonly Reading[]): Problem[] {
  const lengths = tasks.map(({ state, shared }) => state?.base.facts.hidden ?? shared.hidden)
  const unlike = readings.find(({ state }) => lengths.some((hidden) => hidden !== state.base.facts.hidden))
  if (!unlike) return []
  const wanted = lengths.find((hidden) => hidden !== unlike.state.base.facts.hidden)
  const { name, facts } = unlike.state.base
  const message = `the vectors have ${String(wanted)} numbers, and what step "${unlike.step}" records of model "${name}" has ${facts.hidden}`
  return [{ rule: 'vectors-of-another-model', message, hint: 'take vectors of a model of the same size', path: ['onto'] }]
}

/** Layers that a trait is wanted at and that a step does not record. */
function recordingProblems(step: Step, name: string, index: number, wanted: readonly WantedLayer[], context: ExpandContext): Problem[] {
  const from = context.step(name).step
  const recorded = recordedLayers(from)
  const path = Array.isArray(step.params.of) ? ['of', index] : ['of']
  if (!recorded) {
    return [
      {
        rule: 'not-recorded',
        message: `step "${name}" records nothing`,
        hint: `give it \`${from.kind === 'imported' ? 'recordings: ' : 'capture: { layers: [...] }'}\``,
        path,
      },
    ]
  }
  return [...byPlace(wanted).values()].flatMap((ofPlace): Problem[] => {
    const [{ layer, path: place }] = ofPlace
    if (recorded.includes(layer)) return []
    const traits = ofPlace.map(({ trait }) => trait)
    const are = traits.length === 1 ? `trait ${traits[0]} is` : `traits ${traits.join(', ')} are`
    return [
      {
        rule: 'layer-not-captured',
        message: `${are} wanted at layer ${layer}, which step "${name}" does not capture (it captures ${recorded.join(', ')})`,
        hint: `add ${layer} to the ${from.kind === 'imported' ? '' : 'capture '}layers of "${name}"`,
        path: place ?? path,
      },
    ]
  })
}
