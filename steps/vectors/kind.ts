import { patternExpression } from '../../engine/core/file-pattern.ts'
import type { Json } from '../../engine/core/json.ts'
import { isName } from '../../engine/core/names.ts'
import type { ParamSchema } from '../../engine/core/schema.ts'
import type { CellSpec, ExpandContext, FileSource, Operation, Problem, Step, StepKind, Task } from '../../engine/core/step-kind.ts'
import { type Hidden, hiddenOf, hiddenParams } from '../common/hidden.ts'
import { paramOrigin } from '../common/origins.ts'
import { inExperiment, type PatternRule, patternProblems } from '../common/pattern.ts'
import { type VectorName, vectorAxes, vectorId } from '../common/vectors.ts'

const schema: ParamSchema = {
  type: 'object',
  required: ['files'],
  properties: {
    ...hiddenParams,
    files: {
      type: 'string',
      minLength: 1,
      description:
        'Where they are, one tensor a file (.safetensors or .pt): a path with {trait} and {layer}, if you like {method}, and * for any part of a name.',
      'x-ref': 'files',
      'x-affects': 'result',
    },
    leave_out: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      uniqueItems: true,
      description: 'Vectors that are not taken, as trait@layer:method.',
      'x-affects': 'result',
    },
  },
}

interface Found extends VectorName {
  readonly name: string
  readonly file: FileSource
}

/** Takes trait vectors that were made elsewhere. */
export const vectors: StepKind = {
  kind: 'vectors',
  description: 'Take trait vectors that were made elsewhere.',
  schema,
  tasks(step, context) {
    const hidden = hiddenOf(step, context)
    const problems = patternProblems('files', step.params.files as string, pattern)
    if (!hidden || problems.length > 0) return { tasks: [], problems }
    if ('rule' in hidden) return { tasks: [], problems: [hidden] }
    const found = filesOf(step, context)
    const byTrait = Map.groupBy(found, ({ trait }) => trait)
    const layers = [...new Set(found.map(({ layer }) => layer))]
    return {
      tasks: [...byTrait].map(([trait, own]) => adoptTask(step, trait, own, hidden)),
      problems: [
        ...nameProblems([...byTrait.keys()], found),
        ...lengthProblems(found, hidden.hidden),
        ...hidden.problems(layers, 'files').map((problem) => ({ ...problem, path: ['files'] })),
      ],
    }
  },
}

const pattern: PatternRule = {
  needs: ['trait', 'layer'],
  may: ['method'],
  endings: ['.pt', '.safetensors'],
  example: '../vectors/{trait}/{method}/layer{layer}.pt',
}

function filesOf(step: Step, context: ExpandContext): Found[] {
  const expression = patternExpression(step.params.files as string)
  const without = new Set(step.params.leave_out as string[] | undefined)
  return [...context.files].flatMap(([name, file]): Found[] => {
    const { trait, layer, method } = expression.exec(name)?.groups ?? {}
    if (trait === undefined || !/^\d+$/.test(layer ?? '')) return []
    const vector = { trait, layer: Number(layer), method: method ?? 'given', name, file }
    return without.has(vectorId(vector)) ? [] : [vector]
  })
}

function nameProblems(traits: readonly string[], found: readonly Found[]): Problem[] {
  const ids = found.map(vectorId)
  const twice = ids.find((id, index) => ids.indexOf(id) !== index)
  const bad = [...traits, ...found.map(({ method }) => method)].find((name) => !isName(name))
  return [
    ...(twice === undefined ? [] : [{ rule: 'pattern', message: `two files match as vector ${twice}`, path: ['files'] }]),
    ...(bad === undefined ? [] : [{ rule: 'name', message: `"${bad}", of the name of a file, cannot be a name`, path: ['files'] }]),
  ]
}

/** Vectors of another length than a state; of a .pt file the sidecar finds out, before a model is loaded. */
function lengthProblems(found: readonly Found[], hidden: number): Problem[] {
  return found.flatMap((vector): Problem[] => {
    const shapes = Object.values(vector.file.shapes ?? {})
    const [shape] = shapes
    const values = shape?.reduce((product, size) => product * size, 1)
    if (shape === undefined || shapes.length > 1 || values === hidden) return []
    const message = `vector ${vectorId(vector)} has ${values} numbers, and a state of the residual stream has ${hidden}`
    return [{ rule: 'vector-length', message, hint: 'it is of another model', path: ['files'] }]
  })
}

function adoptTask(step: Step, trait: string, found: readonly Found[], { hidden, origin }: Hidden): Task {
  const digests = Object.fromEntries(found.map((vector) => [vectorId(vector), vector.file.digest]))
  return {
    id: `${step.name}/${trait}`,
    step: step.name,
    stage: step.name,
    row: step.name,
    coordinate: { trait },
    operation: adoptOperation,
    parents: [],
    state: null,
    shared: { hidden },
    data: { vectors: found.map(({ trait: name, layer, method }) => ({ trait: name, layer, method })) as unknown as Json, digests },
    tuning: {
      paths: Object.fromEntries(found.map((vector) => [vectorId(vector), vector.file.path])),
      names: Object.fromEntries(found.map((vector) => [vectorId(vector), inExperiment(vector.name)])),
    },
    origins: { hidden: origin, file: paramOrigin(step.name, 'files') },
  }
}

const adoptOperation: Operation = {
  name: 'adopt',
  version: 1,
  counts: { noun: 'vectors', by: 'cell' },
  axes: vectorAxes,
  cells(task) {
    return Object.entries(task.data.digests as Record<string, string>).map(
      ([id, file]): CellSpec => ({ id, group: id, own: { file }, inputs: [] }),
    )
  },
  batches: (_task, _inputs, groups) => [[...groups]],
  cost: (task) => ({ decodeTokens: 0, prefillTokens: 0, depth: 0, bytes: 4 * Number(task.shared.hidden) }),
  runs: {
    on: 'sidecar',
    method: 'adopt',
    params(task, _inputs, cells) {
      const { paths, names } = task.tuning as Record<string, Record<string, string>>
      return {
        hidden: task.shared.hidden as number,
        cells: cells.map(({ id, own }) => ({ id, path: paths?.[id] as string, name: names?.[id] as string, digest: own?.file as string })),
      }
    },
  },
}
