import type { Sources } from '../../engine/core/sources.ts'
import type { ParentTask, Task } from '../../engine/core/step-kind.ts'
import { vectorCategory } from '../common/vectors.ts'
import { isClean, positionOf, type TaskOf, type Variant, variantOf } from './names.ts'

/** `{category}/{trait}`: what the scripts know a trait by. */
export function traitFolder(vector: Pick<NamedVector, 'trait' | 'method'>, sources: Sources): string {
  return `${vectorCategory(vector, sources, 'vectors')}/${vector.trait}`
}

/** Everything that a workflow made, and what it was made from. */
export interface Made {
  readonly experiment: string
  readonly sources: Sources
  readonly tasks: readonly ParentTask[]
}

/** By whom to what: an organism answers a prompt set once. */
export function answersId({ coordinate }: Task): string {
  return `${coordinate.organism}\n${coordinate.promptSet}`
}

/** A vector, or with its prompt a projection onto it. */
export interface NamedVector {
  readonly trait: string
  readonly layer: number
  readonly method: string
  readonly prompt: string
}

export const vectorName = /^(?<trait>[^@:]+)@(?<layer>\d+):(?<method>[^:]+)$/
export const projectionName = /^(?<prompt>.*)@(?<layer>\d+):(?<trait>[^:]+):(?<method>[^:]+)$/

export function named(cell: string, pattern: RegExp): NamedVector {
  const { prompt, trait, layer, method } = { ...pattern.exec(cell)?.groups }
  if (trait === undefined || method === undefined) throw new Error(`${cell} is no name of a vector or projection`)
  return { prompt: prompt ?? '', trait, layer: Number(layer), method }
}

/** Where what a workflow made stands in an experiment of trait-interp. */
export const places = {
  response: ({ variant, set }: Variant, prompt: string) => `inference/${variant}/responses/${set}/${prompt}.json`,
  recording: ({ variant, set }: Variant, prompt: string) => `inference/${variant}/raw/residual/${set}/${prompt}.pt`,
  projection: ({ variant, set }: Variant, vector: NamedVector, sources: Sources) =>
    `inference/${variant}/projections/${traitFolder(vector, sources)}/${set}/${vector.prompt}.json`,
  /** Folder of the vectors of a trait by a method; `layerFile` is the file of one. */
  vectors: (task: Task, vector: NamedVector, sources: Sources, extraction: string) =>
    `extraction/${traitFolder(vector, sources)}/${extraction}/vectors/${positionOf(task)}/residual/${vector.method}`,
  /** The model's own answers to the scenarios of a side of a trait. */
  elicited: ({ coordinate: { trait = '', side } }: Task, sources: Sources, extraction: string) =>
    `extraction/${traitFolder({ trait, method: '' }, sources)}/${extraction}/responses/${side === 'positive' ? 'pos' : 'neg'}.json`,
  layerFile: (layer: number) => `layer${layer}.pt`,
}

/** Of whose states a task has the scores. */
export function scoredVariant(task: Task, taskOf: TaskOf): Variant {
  const recorded = task.parents.find(({ role }) => role === 'recording')
  return variantOf(task, isClean((recorded && taskOf(recorded.task)) ?? task, taskOf))
}
