import type { Sources } from '../../engine/core/sources.ts'
import type { ParentTask, Task } from '../../engine/core/step-kind.ts'
import { categoryOf, extractionVariant, isClean, positionOf, type Variant, variantOf } from './names.ts'

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
  projection: ({ variant, set }: Variant, { trait, prompt }: NamedVector, sources: Sources) =>
    `inference/${variant}/projections/${categoryOf(sources, trait)}/${trait}/${set}/${prompt}.json`,
  /** Folder of the vectors of a trait by a method. */
  vectors: (task: Task, { trait, method }: NamedVector, sources: Sources, extraction: string) =>
    `extraction/${categoryOf(sources, trait)}/${trait}/${extraction}/vectors/${positionOf(task)}/residual/${method}`,
}

/** Two steps that make one and the same file, or the same part of it, differently. */
export interface Clash {
  readonly path: string
  readonly steps: readonly [string, string]
}

/** The first clash of what a workflow makes, made or not; null where all of it has a place of its own, or is the same. */
export function clashIn({ sources, tasks }: Made): Clash | null {
  const byId = new Map(tasks.map((parent) => [parent.task.id, parent.task]))
  const extraction = extractionVariant(tasks)
  /** The file that a cell is in, and what of it it is. */
  const placeOf = (task: Task, cell: string, group: string): { path: string; part: string } | null => {
    switch (task.operation.name) {
      case 'generate':
        return { path: places.response(variantOf(task, false), cell), part: '' }
      case 'capture':
        return { path: places.recording(variantOf(task, isClean(task)), group), part: cell }
      case 'project':
      case 'score': {
        const recorded = task.parents.find(({ role }) => role === 'recording')
        const variant = variantOf(task, isClean((recorded && byId.get(recorded.task)) ?? task))
        return { path: places.projection(variant, named(cell, projectionName), sources), part: cell }
      }
      case 'extract':
      case 'adopt': {
        const name = named(cell, vectorName)
        return { path: `${places.vectors(task, name, sources, extraction)}/layer${name.layer}.pt`, part: '' }
      }
      default:
        return null
    }
  }
  const seen = new Map<string, { step: string; key: string | null }>()
  for (const { task, cells } of tasks) {
    for (const { spec, output } of cells) {
      const key = output?.key ?? null
      const place = placeOf(task, spec.id, spec.group)
      if (!place) break
      const id = `${place.path}\n${place.part}`
      const other = seen.get(id)
      if (!other) seen.set(id, { step: task.step, key })
      else if (key === null || other.key !== key) return { path: place.path, steps: [other.step, task.step] }
    }
  }
  return null
}
