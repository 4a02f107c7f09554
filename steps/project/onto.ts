import type { ExpandContext, Problem, Step, Task } from '../../engine/core/step-kind.ts'
import { pick } from '../common/pick.ts'
import { type VectorName, vectorId, vectorOperations, vectorsMadeBy } from '../common/vectors.ts'
import { byPlace, namedLayerProblems, type WantedLayer, wantedLayers } from './layers.ts'

/** What a step projects onto: the tasks that make its vectors, the vectors, and which layers it wants. */
export interface Onto {
  readonly tasks: readonly Task[]
  readonly vectors: readonly VectorName[]
  readonly wanted: readonly WantedLayer[]
  readonly problems: readonly Problem[]
}

/** What one of the steps has of it. */
interface OntoStep extends Onto {
  readonly step: Step
  readonly traits: readonly string[]
  readonly methods: readonly string[]
}

/** Kinds that make vectors, with why theirs cannot be centered, if they cannot. */
const makers: ReadonlyMap<string, string | null> = new Map([
  ['extract', null],
  ['vectors', 'takes vectors made elsewhere, whose baseline is not known'],
  ['random', 'makes directions of no meaning, which have no baseline'],
])

/** The vectors of all steps that `onto` names. What a random step makes is taken whole: it is no trait to choose. */
export function vectorsOnto(step: Step, context: ExpandContext): Onto {
  const named = [step.params.onto].flat() as string[]
  const steps = named.map((name, index) => madeBy(step, context.step(name), Array.isArray(step.params.onto) ? ['onto', index] : ['onto']))
  const traits = steps.filter((one) => !isRandom(one.step)).flatMap((one) => one.traits)
  return {
    tasks: steps.flatMap((one) => one.tasks),
    vectors: steps.flatMap((one) => one.vectors),
    wanted: steps.flatMap((one) => one.wanted),
    problems: [
      ...steps.flatMap((one) => one.problems),
      ...methodProblems(step, steps),
      ...namedLayerProblems(step, traits, named.join('", "')),
      ...twice(steps),
    ],
  }
}

function madeBy(step: Step, { step: onto, tasks: all }: ReturnType<ExpandContext['step']>, place: Problem['path']): OntoStep {
  const lack = makers.get(onto.kind)
  if (lack === undefined) {
    const message = `"${onto.name}" is a ${onto.kind} step and makes no vectors`
    const problem = { rule: 'not-vectors', message, hint: 'name an extract, a vectors or a random step', path: place }
    return { step: onto, tasks: [], traits: [], methods: [], vectors: [], wanted: [], problems: [problem] }
  }
  const making = all
    .filter(({ operation }) => vectorOperations.includes(operation.name))
    .map((task) => ({ name: task.coordinate.trait as string, task }))
  const picked = isRandom(onto) ? making : pick(step.params.traits, making)
  const tasks = picked.map(({ task }) => task)
  const traits = picked.map(({ name }) => name)
  const made = tasks.flatMap(vectorsMadeBy)
  const layers = distinct(made.map(({ layer }) => layer))
  const methods = distinct(made.map(({ method }) => method))
  const wanted = wantedLayers(step, traits, layers, isRandom(onto))
  const known = new Set(made.map(vectorId))
  const vectors = wanted
    .flatMap(({ trait, layer }) => takenMethods(step, onto, methods).map((method): VectorName => ({ trait, layer, method })))
    .filter((vector) => known.has(vectorId(vector)))
  const problems = [
    ...(tasks.length > 0 ? layerProblems(onto, layers, wanted) : []),
    ...missingVectors(onto, wanted, layers, vectors),
    ...(step.params.centered && lack !== null ? [noBaseline(onto, lack)] : []),
  ]
  return { step: onto, tasks, traits, methods, vectors, wanted, problems }
}

function isRandom({ kind }: Step): boolean {
  return kind === 'random'
}

function takenMethods({ params }: Step, onto: Step, made: readonly string[]): readonly string[] {
  if (isRandom(onto)) return made
  return (params.methods ?? (onto.kind === 'extract' ? ['mean_diff'] : made)) as string[]
}

/** Layers that a step does not make. */
function layerProblems(onto: Step, made: readonly number[], wanted: readonly WantedLayer[]): Problem[] {
  return [...byPlace(wanted).values()].flatMap(([{ layer, path }]): Problem[] => {
    if (path === null || made.includes(layer)) return []
    const message = `no vector is extracted at layer ${layer}: "${onto.name}" makes layers ${made.join(', ')}`
    return [{ rule: 'layer-not-extracted', message, hint: `add ${layer} to the layers of "${onto.name}"`, path }]
  })
}

/** Traits that are wanted by name at a layer at which there are vectors, of other traits alone. */
function missingVectors(onto: Step, wanted: readonly WantedLayer[], layers: readonly number[], vectors: readonly VectorName[]): Problem[] {
  return wanted.flatMap(({ trait, layer, path }): Problem[] => {
    const isThere = vectors.some((vector) => vector.trait === trait && vector.layer === layer)
    if (path?.[1] !== trait || isThere || !layers.includes(layer)) return []
    return [{ rule: 'no-vector', message: `"${onto.name}" has no vector of "${trait}" at layer ${layer}`, path }]
  })
}

function noBaseline(onto: Step, lack: string): Problem {
  return { rule: 'no-baseline', message: `"${onto.name}" ${lack}`, hint: 'leave `centered` out', path: ['centered'] }
}

/** Methods that none of the steps makes. */
function methodProblems(step: Step, steps: readonly OntoStep[]): Problem[] {
  const choosing = steps.filter((one) => one.tasks.length > 0 && !isRandom(one.step))
  const problem = (method: string, of: readonly OntoStep[], path: Problem['path']): Problem => {
    const who = of.map((one) => `"${one.step.name}"`).join(' and ')
    const makes = of.length === 1 ? 'makes' : 'make'
    const only = distinct(of.flatMap((one) => one.methods)).join(', ')
    return { rule: 'method-not-extracted', message: `${who} ${makes} no ${method} vectors, only ${only}`, path }
  }
  const lack = (of: readonly OntoStep[], method: string) => of.length > 0 && !of.some((one) => one.methods.includes(method))
  if (step.params.methods)
    return (step.params.methods as string[]).flatMap((method, index) =>
      lack(choosing, method) ? [problem(method, choosing, ['methods', index])] : [],
    )
  return choosing.flatMap((one) =>
    takenMethods(step, one.step, one.methods).flatMap((method) => (lack([one], method) ? [problem(method, [one], [])] : [])),
  )
}

/** A vector that two steps have by the same name. */
function twice(steps: readonly OntoStep[]): Problem[] {
  const first = new Map<string, string>()
  return steps.flatMap(({ step, vectors }, index): Problem[] => {
    const both = vectors.map(vectorId).find((id) => first.has(id))
    for (const id of vectors.map(vectorId)) if (!first.has(id)) first.set(id, step.name)
    if (both === undefined) return []
    const message = `"${first.get(both)}" and "${step.name}" both have a vector ${both}`
    return [
      {
        rule: 'vector-twice',
        message,
        hint: 'project onto them in two steps, or choose among them by `traits` or `methods`',
        path: ['onto', index],
      },
    ]
  })
}

function distinct<T>(values: readonly T[]): T[] {
  return [...new Set(values)]
}
