import type { Json } from '../../engine/core/json.ts'
import { namePattern } from '../../engine/core/names.ts'
import type { ParamSchema } from '../../engine/core/schema.ts'
import type { ExpandContext, Problem, Step, StepKind, Task } from '../../engine/core/step-kind.ts'
import { captureComponents, captureOrigins, keepsNothing, type Reading, type Recorded } from '../common/capture.ts'
import { paramOrigins } from '../common/origins.ts'
import { pick, selection } from '../common/pick.ts'
import { readingsOf, recordedLayers, recordingsOf } from '../common/readings.ts'
import { type VectorName, vectorId, vectorOperations, vectorsMadeBy } from '../common/vectors.ts'
import { layersSchema, namedLayerProblems, type WantedLayer, wantedLayers } from './layers.ts'
import { projectOperation } from './operation.ts'
import { scoreOperation } from './score.ts'

const schema: ParamSchema = {
  type: 'object',
  required: ['of', 'onto'],
  properties: {
    of: {
      description: 'The steps whose recordings are projected: a generate step with `capture`, a replay step, an imported one.',
      anyOf: [
        { type: 'string', 'x-ref': 'step' },
        { type: 'array', items: { type: 'string', 'x-ref': 'step' }, minItems: 1, uniqueItems: true },
      ],
      'x-affects': 'result',
    },
    onto: { type: 'string', description: 'The extract or vectors step that has the vectors.', 'x-ref': 'step', 'x-affects': 'result' },
    traits: selection('trait', 'Which of its traits.'),
    layers: layersSchema,
    methods: {
      type: 'array',
      items: { type: 'string', pattern: namePattern },
      minItems: 1,
      uniqueItems: true,
      description: 'Which of its methods. Default: mean_diff of an extract step, all of vectors made elsewhere.',
      'x-affects': 'result',
    },
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
    const onto = context.step(step.params.onto as string)
    const of = [step.params.of].flat() as string[]
    if (onto.step.kind !== 'extract' && onto.step.kind !== 'vectors') {
      const message = `"${onto.step.name}" is a ${onto.step.kind} step and makes no vectors`
      return { tasks: [], problems: [{ rule: 'not-vectors', message, hint: 'name an extract or a vectors step', path: ['onto'] }] }
    }
    const extractions = pick(
      step.params.traits,
      onto.tasks
        .filter(({ operation }) => vectorOperations.includes(operation.name))
        .map((task) => ({ name: task.coordinate.trait as string, task })),
    ).map(({ task }) => task)
    const made = extractions.flatMap(vectorsMadeBy)
    const has = { layers: distinct(made.map(({ layer }) => layer)), methods: distinct(made.map(({ method }) => method)) }
    const traits = extractions.map((task) => task.coordinate.trait as string)
    const wanted = wantedLayers(step, traits, has.layers)
    const methods = (step.params.methods ?? (onto.step.kind === 'extract' ? ['mean_diff'] : has.methods)) as string[]
    const known = new Set(made.map(vectorId))
    const vectors = wanted
      .flatMap(({ trait, layer }) => methods.map((method): VectorName => ({ trait, layer, method })))
      .filter((vector) => known.has(vectorId(vector)))
    const problems = [
      ...(extractions.length > 0 ? vectorProblems(step, onto.step, has, wanted, methods) : []),
      ...namedLayerProblems(step, traits, onto.step.name),
      ...missingVectors(onto.step, wanted, has.layers, vectors),
      ...(step.params.centered && onto.step.kind === 'vectors' ? [noBaseline(onto.step)] : []),
      ...of.flatMap((name, index) => recordingProblems(step, name, index, wanted, context)),
      ...otherModel(
        extractions,
        of.flatMap((name) => readingsOf(context.step(name).step, context.step(name).tasks, context)),
      ),
    ]
    const tasks = of.flatMap((name) => {
      const from = context.step(name)
      const taskOf = (recorded: Recorded) => projectionTask(step, recorded, extractions, vectors, of.length > 1)
      if (!keepsNothing(from.step)) return recordingsOf(from.step, from.tasks, context).map(taskOf)
      return readingsOf(from.step, from.tasks, context).map((reading) => scoring(taskOf(reading), reading))
    })
    return { tasks, problems }
  },
}

/** The task that projects what was recorded of answers. */
function projectionTask(
  step: Step,
  recorded: Recorded,
  extractions: readonly Task[],
  vectors: readonly VectorName[],
  manySides: boolean,
): Task {
  const { answers, step: side } = recorded
  const { organism, promptSet } = answers.coordinate
  return {
    id: `${step.name}/${organism}/${promptSet}${manySides ? `/${side}` : ''}`,
    step: step.name,
    stage: step.name,
    row: answers.row,
    coordinate: { ...answers.coordinate, side },
    operation: projectOperation,
    parents: [{ task: recorded.id, role: 'recording' }, ...extractions.map((task) => ({ task: task.id, role: 'vectors' }))],
    state: null,
    shared: { centered: step.params.centered as boolean },
    data: { vectors: vectors as unknown as Json },
    tuning: { organism: organism ?? '', prompt_set: promptSet ?? '', side },
    origins: paramOrigins(step, ['centered']),
  }
}

/** The same scores where nothing is recorded: of a pass through the model that keeps nothing else. */
function scoring(task: Task, reading: Reading): Task {
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

/** Vectors that the extract step does not make. */
function vectorProblems(
  step: Step,
  onto: Step,
  made: { readonly layers: readonly number[]; readonly methods: readonly string[] },
  wanted: readonly WantedLayer[],
  methods: readonly string[],
): Problem[] {
  const layerProblems = [...byPlace(wanted).values()].flatMap(([{ layer, path }]): Problem[] => {
    if (path === null || made.layers.includes(layer)) return []
    const message = `no vector is extracted at layer ${layer}: "${onto.name}" makes layers ${made.layers.join(', ')}`
    return [{ rule: 'layer-not-extracted', message, hint: `add ${layer} to the layers of "${onto.name}"`, path }]
  })
  const methodProblems = methods.flatMap((method, index): Problem[] => {
    if (made.methods.includes(method)) return []
    const message = `"${onto.name}" makes no ${method} vectors, only ${made.methods.join(', ')}`
    return [{ rule: 'method-not-extracted', message, path: step.params.methods ? ['methods', index] : [] }]
  })
  return [...layerProblems, ...methodProblems]
}

/** Traits that are wanted by name at a layer at which there are vectors, of other traits alone. */
function missingVectors(onto: Step, wanted: readonly WantedLayer[], layers: readonly number[], vectors: readonly VectorName[]): Problem[] {
  return wanted.flatMap(({ trait, layer, path }): Problem[] => {
    const isThere = vectors.some((vector) => vector.trait === trait && vector.layer === layer)
    if (path?.[1] !== trait || isThere || !layers.includes(layer)) return []
    return [{ rule: 'no-vector', message: `"${onto.name}" has no vector of "${trait}" at layer ${layer}`, path }]
  })
}

/** Vectors of a model whose states have another length than those that are recorded. */
function otherModel(extractions: readonly Task[], readings: readonly Reading[]): Problem[] {
  const [extraction] = extractions
  const wanted = extraction?.state?.base.facts.hidden ?? extraction?.shared.hidden
  const unlike = readings.find(({ state }) => state.base.facts.hidden !== wanted)
  if (wanted === undefined || !unlike) return []
  const { name, facts } = unlike.state.base
  const message = `the vectors have ${String(wanted)} numbers, and what step "${unlike.step}" records of model "${name}" has ${facts.hidden}`
  return [{ rule: 'vectors-of-another-model', message, hint: 'take vectors of a model of the same size', path: ['onto'] }]
}

function noBaseline(onto: Step): Problem {
  const message = `"${onto.name}" takes vectors made elsewhere, whose baseline is not known`
  return { rule: 'no-baseline', message, hint: 'leave `centered` out', path: ['centered'] }
}

/** Layers that are wanted by the same words of the step, of several traits as a rule. */
function byPlace(wanted: readonly WantedLayer[]): Map<string, [WantedLayer, ...WantedLayer[]]> {
  return Map.groupBy(wanted, ({ path, layer }) => JSON.stringify([path, layer])) as Map<string, [WantedLayer, ...WantedLayer[]]>
}

function distinct<T>(values: readonly T[]): T[] {
  return [...new Set(values)]
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
