import type { Json } from '../../engine/core/json.ts'
import type { Axes, CellOutput, Inputs, Task } from '../../engine/core/step-kind.ts'
import { byAnswer } from './answer-ids.ts'
import { projectionId, type VectorName } from './vectors.ts'

/** A projection by its name: a prompt's answer, recorded at a layer, along a vector of that layer. */
export interface Projection {
  readonly prompt: string
  readonly layer: string
  readonly trait: string
  readonly method: string
}

const cellName = /^(?<prompt>.*)@(?<layer>\d+):(?<trait>[^:]+):(?<method>[^:]+)$/

export function projectionOf(cell: string): Projection {
  return (cellName.exec(cell) as RegExpExecArray).groups as unknown as Projection
}

export function projectionAxes(cell: string): Axes {
  return byAnswer({ ...cellName.exec(cell)?.groups })
}

/** The vectors that a task projects onto. */
export function vectorNames(task: Task): readonly VectorName[] {
  return task.data.vectors as unknown as VectorName[]
}

const layerCounts = new WeakMap<Task, number>()

/** How many layers they lie at. */
export function layersOf(task: Task): number {
  const known = layerCounts.get(task) ?? new Set(vectorNames(task).map(({ layer }) => layer)).size
  layerCounts.set(task, known)
  return known
}

/** A vector that a task projects onto; `end` is how the names of its scores end, after the prompt. */
export interface ProjectedVector {
  readonly layer: number
  readonly end: string
  readonly output: CellOutput | null
}

/** They are looked up once for all cells of the task, of which there may be thousands. */
export function projectedVectors(task: Task, inputs: Inputs): ProjectedVector[] {
  const outputs = vectorsByName(inputs)
  return vectorNames(task).map((name) => ({
    layer: name.layer,
    end: projectionId('', name),
    output: outputs.get(`${name.trait}@${name.layer}:${name.method}`) ?? null,
  }))
}

export function vectorsByName(inputs: Inputs): Map<string, CellOutput> {
  const outputs = inputs.of('vectors').flatMap((parent) => parent.cells.flatMap(({ output }) => (output ? [output] : [])))
  return new Map(outputs.map((output) => [output.cell, output]))
}

/** The baseline is part of the key where it is used. */
export function baseline(task: Task, vector: CellOutput): Record<string, Json> {
  return task.shared.centered ? { baseline: vector.facts.baseline ?? null } : {}
}

/** What the sidecar is told of cells and of their vectors; `of` says which states a cell is computed from. */
export function asked(
  task: Task,
  inputs: Inputs,
  cells: readonly { readonly id: string }[],
  ref: (output: CellOutput) => Json,
  of: (projection: Projection) => Record<string, Json>,
): { vectors: Json[]; cells: Json[] } {
  const outputs = vectorsByName(inputs)
  const vectors = indexed<string>()
  const wanted = cells.map(({ id }) => {
    const projection = projectionOf(id)
    const name = `${projection.trait}@${projection.layer}:${projection.method}`
    const offset = task.shared.centered ? Number(outputs.get(name)?.facts.baseline) : 0
    return { id, ...of(projection), vector: vectors.indexOf(name), offset }
  })
  const labelled = vectors.keys().map((name) => {
    const [, trait, layer, method] = /^(.*)@(\d+):(.*)$/.exec(name) as unknown as [string, string, string, string]
    return { ref: ref(outputs.get(name) as CellOutput), labels: { trait, layer: Number(layer), method } }
  })
  return { vectors: labelled, cells: wanted }
}

/** Numbers things in the order they are first asked for. */
export function indexed<T>(): { indexOf(item: T): number; keys(): T[] } {
  const seen = new Map<T, number>()
  return {
    indexOf(item) {
      if (!seen.has(item)) seen.set(item, seen.size)
      return seen.get(item) as number
    },
    keys: () => [...seen.keys()],
  }
}
