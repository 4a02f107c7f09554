import type { ExpandContext, Problem, Step, Task } from '../../engine/core/step-kind.ts'
import { pick } from '../common/pick.ts'
import { namedSteps } from '../common/step-names.ts'
import { methodProblems, takenMethods, vectorStep, vectorsTwice } from '../common/vector-steps.ts'
import { type VectorName, vectorId, vectorsMadeBy } from '../common/vectors.ts'
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
  readonly place: Problem['path']
  readonly ofTraits: boolean
  readonly traits: readonly string[]
  readonly made: readonly string[]
}

/** The vectors of all steps that `onto` names. What a step makes that is no trait to choose is taken whole. */
export function vectorsOnto(step: Step, context: ExpandContext): Onto {
  const named = namedSteps(step, 'onto')
  const steps = named.map(({ name, place }) => ontoStep(step, context.step(name), place))
  const traits = steps.filter(({ ofTraits }) => ofTraits).flatMap((one) => one.traits)
  return {
    tasks: steps.flatMap((one) => one.tasks),
    vectors: steps.flatMap((one) => one.vectors),
    wanted: steps.flatMap((one) => one.wanted),
    problems: [
      ...steps.flatMap((one) => one.problems),
      ...methodProblems(step, steps),
      ...namedLayerProblems(step, traits, named.map(({ name }) => name).join('", "')),
      ...vectorsTwice(steps, 'project onto them in two steps, or choose among them by `traits` or `methods`'),
    ],
  }
}

function ontoStep(step: Step, from: ReturnType<ExpandContext['step']>, place: Problem['path']): OntoStep {
  const onto = vectorStep(from, place)
  if ('rule' in onto)
    return { step: from.step, place, ofTraits: true, tasks: [], traits: [], made: [], vectors: [], wanted: [], problems: [onto] }
  const { ofTraits, noBaseline } = onto
  const making = onto.tasks.map((task) => ({ name: task.coordinate.trait as string, task }))
  const picked = ofTraits ? pick(step.params.traits, making) : making
  const tasks = picked.map(({ task }) => task)
  const traits = picked.map(({ name }) => name)
  const all = tasks.flatMap(vectorsMadeBy)
  const layers = distinct(all.map(({ layer }) => layer))
  const made = distinct(all.map(({ method }) => method))
  const wanted = wantedLayers(step, traits, layers, !ofTraits)
  const known = new Set(all.map(vectorId))
  const vectors = wanted
    .flatMap(({ trait, layer }) => takenMethods(step, { ...onto, made }).map((method): VectorName => ({ trait, layer, method })))
    .filter((vector) => known.has(vectorId(vector)))
  const problems = [
    ...(tasks.length > 0 ? layerProblems(onto.step, layers, wanted) : []),
    ...missingVectors(onto.step, wanted, layers, vectors),
    ...(step.params.centered && noBaseline !== null ? [withoutBaseline(onto.step, noBaseline)] : []),
  ]
  return { step: onto.step, place, ofTraits, tasks, traits, made, vectors, wanted, problems }
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

function withoutBaseline(onto: Step, lack: string): Problem {
  return { rule: 'no-baseline', message: `"${onto.name}" ${lack}`, hint: 'leave `centered` out', path: ['centered'] }
}

function distinct<T>(values: readonly T[]): T[] {
  return [...new Set(values)]
}
