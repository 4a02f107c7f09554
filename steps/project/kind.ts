import type { Json } from '../../engine/core/json.ts'
import { namePattern } from '../../engine/core/names.ts'
import type { ParamSchema } from '../../engine/core/schema.ts'
import type { CellOutput, CellSpec, ExpandContext, Inputs, Operation, Problem, Step, StepKind, Task } from '../../engine/core/step-kind.ts'
import { paramOrigins } from '../common/origins.ts'
import { pick, selection } from '../common/pick.ts'
import { type VectorName, vectorId, vectorsMadeBy } from '../common/vectors.ts'

const schema: ParamSchema = {
  type: 'object',
  required: ['of', 'onto'],
  properties: {
    of: {
      description: 'The steps whose recordings are projected: a generate step with `capture`, a replay step.',
      anyOf: [
        { type: 'string', 'x-ref': 'step' },
        { type: 'array', items: { type: 'string', 'x-ref': 'step' }, minItems: 1, uniqueItems: true },
      ],
      'x-affects': 'result',
    },
    onto: { type: 'string', description: 'The extract or vectors step that has the vectors.', 'x-ref': 'step', 'x-affects': 'result' },
    traits: selection('trait', 'Which of its traits.'),
    layers: {
      type: 'array',
      items: { type: 'integer', minimum: 0 },
      minItems: 1,
      uniqueItems: true,
      description: 'Which of its layers. Default: all of them.',
      'x-affects': 'result',
    },
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
      onto.tasks.map((task) => ({ name: task.coordinate.trait as string, task })),
    ).map(({ task }) => task)
    const made = extractions.flatMap(vectorsMadeBy)
    const has = { layers: distinct(made.map(({ layer }) => layer)), methods: distinct(made.map(({ method }) => method)) }
    const layers = (step.params.layers ?? has.layers) as number[]
    const methods = (step.params.methods ?? (onto.step.kind === 'extract' ? ['mean_diff'] : has.methods)) as string[]
    const known = new Set(made.map(vectorId))
    const vectors = extractions.flatMap((task) =>
      layers
        .flatMap((layer) => methods.map((method): VectorName => ({ trait: task.coordinate.trait as string, layer, method })))
        .filter((vector) => known.has(vectorId(vector))),
    )
    const problems = [
      ...(extractions.length > 0 ? vectorProblems(step, onto.step, has, layers, methods) : []),
      ...(step.params.centered && onto.step.kind === 'vectors' ? [noBaseline(onto.step)] : []),
      ...of.flatMap((name, index) => recordingProblems(step, name, index, layers, vectors, context)),
    ]
    const tasks = of.flatMap((name) => {
      const recordings = context.step(name).tasks.filter((task) => task.operation.name === 'capture')
      return recordings.map((recording) => projectTask(step, recording, extractions, vectors, of.length > 1))
    })
    return { tasks, problems }
  },
}

function projectTask(step: Step, recording: Task, extractions: readonly Task[], vectors: readonly VectorName[], manySides: boolean): Task {
  const { organism, promptSet, side } = recording.coordinate
  return {
    id: `${step.name}/${organism}/${promptSet}${manySides ? `/${side}` : ''}`,
    step: step.name,
    stage: step.name,
    row: recording.row,
    coordinate: recording.coordinate,
    operation: projectOperation,
    parents: [{ task: recording.id, role: 'recording' }, ...extractions.map((task) => ({ task: task.id, role: 'vectors' }))],
    state: null,
    shared: { centered: step.params.centered as boolean },
    data: { vectors: vectors as unknown as Json },
    tuning: { organism: organism ?? '', prompt_set: promptSet ?? '', side: side ?? '' },
    origins: paramOrigins(step, ['centered']),
  }
}

/** Vectors that the extract step does not make. */
function vectorProblems(
  step: Step,
  onto: Step,
  made: { readonly layers: readonly number[]; readonly methods: readonly string[] },
  layers: readonly number[],
  methods: readonly string[],
): Problem[] {
  const layerProblems = layers.flatMap((layer, index): Problem[] => {
    if (made.layers.includes(layer)) return []
    const message = `no vector is extracted at layer ${layer}: "${onto.name}" makes layers ${made.layers.join(', ')}`
    return [{ rule: 'layer-not-extracted', message, hint: `add ${layer} to the layers of "${onto.name}"`, path: ['layers', index] }]
  })
  const methodProblems = methods.flatMap((method, index): Problem[] => {
    if (made.methods.includes(method)) return []
    const message = `"${onto.name}" makes no ${method} vectors, only ${made.methods.join(', ')}`
    return [{ rule: 'method-not-extracted', message, path: step.params.methods ? ['methods', index] : [] }]
  })
  return [...layerProblems, ...methodProblems]
}

function noBaseline(onto: Step): Problem {
  const message = `"${onto.name}" takes vectors made elsewhere, whose baseline is not known`
  return { rule: 'no-baseline', message, hint: 'leave `centered` out', path: ['centered'] }
}

function distinct<T>(values: readonly T[]): T[] {
  return [...new Set(values)]
}

/** Layers that a trait is wanted at and that a step does not record. */
function recordingProblems(
  step: Step,
  name: string,
  index: number,
  layers: readonly number[],
  vectors: readonly VectorName[],
  context: ExpandContext,
): Problem[] {
  const recorded = (context.step(name).step.params.capture as { layers?: number[] } | undefined)?.layers
  const path = Array.isArray(step.params.of) ? ['of', index] : ['of']
  if (!recorded) {
    return [{ rule: 'not-recorded', message: `step "${name}" records nothing`, hint: 'give it `capture: { layers: [...] }`', path }]
  }
  return layers.flatMap((layer, position): Problem[] => {
    if (recorded.includes(layer)) return []
    const traits = [...new Set(vectors.map((vector) => vector.trait))].join(', ')
    return [
      {
        rule: 'layer-not-captured',
        message: `traits ${traits} are wanted at layer ${layer}, which step "${name}" does not capture (it captures ${recorded.join(', ')})`,
        hint: `add ${layer} to the capture layers of "${name}"`,
        path: step.params.layers ? ['layers', position] : path,
      },
    ]
  })
}

const cellName = /^(?<prompt>.*)@(?<layer>\d+):(?<trait>[^:]+):(?<method>[^:]+)$/

const projectOperation: Operation = {
  name: 'project',
  version: 1,
  counts: { noun: 'projections', by: 'cell' },
  axes: (cell) => ({ ...cellName.exec(cell)?.groups }),
  cells(task, inputs) {
    const [recording] = inputs.of('recording')
    const vectorOutputs = vectorsByName(inputs)
    const prompts = [...new Set(recording?.cells.map(({ spec }) => spec.group))]
    return prompts.flatMap((prompt) =>
      vectorNames(task).map(({ trait, layer, method }): CellSpec => {
        const activation = recording?.cell(`${prompt}@${layer}`)?.output ?? null
        const vector = vectorOutputs.get(`${trait}@${layer}:${method}`) ?? null
        const known = activation !== null && vector !== null
        return {
          id: `${prompt}@${layer}:${trait}:${method}`,
          group: prompt,
          own: known ? { activation: activation.digest, vector: vector.digest, ...baseline(task, vector) } : null,
          inputs: known ? [activation, vector] : [],
        }
      }),
    )
  },
  batches: (_task, _inputs, groups) => [[...groups]],
  cost(_task, inputs, cell) {
    const [recording] = inputs.of('recording')
    const tokens = Number(recording?.cell(cell.id.slice(0, cell.id.indexOf(':')))?.output?.facts.tokens ?? 0)
    return { decodeTokens: 0, prefillTokens: 0, depth: 0, bytes: 4 * tokens }
  },
  runs: {
    on: 'sidecar',
    method: 'project',
    params(task, inputs, cells, ref) {
      const [recording] = inputs.of('recording')
      const vectorOutputs = vectorsByName(inputs)
      const activations = indexed<string>()
      const vectors = indexed<string>()
      const wanted = cells.map((cell) => {
        const { prompt, layer, trait, method } = (cellName.exec(cell.id) as RegExpExecArray).groups as Record<string, string>
        const name = `${trait}@${layer}:${method}`
        const offset = task.shared.centered ? Number(vectorOutputs.get(name)?.facts.baseline) : 0
        return { id: cell.id, activation: activations.indexOf(`${prompt}@${layer}`), vector: vectors.indexOf(name), offset }
      })
      return {
        labels: task.tuning,
        activations: activations
          .keys()
          .map((id) => ({ ref: ref(recording?.cell(id)?.output as CellOutput), labels: { prompt_id: id.slice(0, id.lastIndexOf('@')) } })),
        vectors: vectors.keys().map((name) => {
          const [, trait, layer, method] = /^(.*)@(\d+):(.*)$/.exec(name) as unknown as [string, string, string, string]
          return { ref: ref(vectorOutputs.get(name) as CellOutput), labels: { trait, layer: Number(layer), method } }
        }),
        cells: wanted,
      }
    },
  },
}

/** The baseline is part of the key where it is used. */
function baseline(task: Task, vector: CellOutput): Record<string, Json> {
  return task.shared.centered ? { baseline: vector.facts.baseline ?? null } : {}
}

function vectorsByName(inputs: Inputs): Map<string, CellOutput> {
  const outputs = inputs.of('vectors').flatMap((parent) => parent.cells.flatMap(({ output }) => (output ? [output] : [])))
  return new Map(outputs.map((output) => [output.cell, output]))
}

function vectorNames(task: Task): readonly VectorName[] {
  return task.data.vectors as unknown as VectorName[]
}

/** Numbers things in the order they are first asked for. */
function indexed<T>(): { indexOf(item: T): number; keys(): T[] } {
  const seen = new Map<T, number>()
  return {
    indexOf(item) {
      if (!seen.has(item)) seen.set(item, seen.size)
      return seen.get(item) as number
    },
    keys: () => [...seen.keys()],
  }
}
