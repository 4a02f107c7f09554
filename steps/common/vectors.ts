import type { Sources } from '../../engine/core/sources.ts'
import type { Axes, Task } from '../../engine/core/step-kind.ts'

export interface VectorName {
  readonly trait: string
  readonly layer: number
  readonly method: string
}

/** The method of differences of means. */
export const meanDifference = 'mean_diff'
/** The method of random directions. */
export const randomMethod = 'random'
/** The method of what organisms are moved by. */
export const shiftMethod = 'shift'
/** The method of what of an organism's shift the others do not share. */
export const apartMethod = 'apart'

/** Fewer organisms do not say what they share. */
export const fewestSharing = 3

/** What a direction is of: `apart` is an organism's own part. */
export type Of = 'trait' | 'organism' | 'apart' | 'random'

export function whatOf({ method }: Pick<VectorName, 'method'>, isOfOrganism: boolean): Of {
  if (isOfOrganism) return method === apartMethod ? 'apart' : 'organism'
  return method === randomMethod ? 'random' : 'trait'
}

/** The folder that the vectors of a trait stand in: that of its contrast set; `otherwise` where it has none. */
export function vectorCategory(
  { trait, method }: Pick<VectorName, 'trait' | 'method'>,
  { traits }: Pick<Sources, 'traits'>,
  otherwise: string,
): string {
  if (method === randomMethod) return 'random_baseline'
  if (method === shiftMethod) return 'organism_shift'
  return traits.find(({ name }) => name === trait)?.category ?? otherwise
}

/** `trait@layer:method`. */
export function vectorId({ trait, layer, method }: VectorName): string {
  return `${trait}@${layer}:${method}`
}

/** A vector's trait, with its layer where there are several, and with its method where its trait has several or it is of an organism. */
export function namesOf(vectors: readonly VectorName[]): (vector: VectorName) => string {
  const manyLayers = new Set(vectors.map(({ layer }) => layer)).size > 1
  const methods = Map.groupBy(vectors, ({ trait }) => trait)
  return ({ trait, layer, method }) => {
    const manyMethods = method === shiftMethod || methods.get(trait)?.some((other) => other.method !== method)
    return `${trait}${manyLayers ? `@${layer}` : ''}${manyMethods ? `:${method}` : ''}`
  }
}

/** Name of the scores of a prompt's answer along a vector: `prompt@layer:trait:method`. */
export function projectionId(prompt: string, { trait, layer, method }: VectorName): string {
  return `${prompt}@${layer}:${trait}:${method}`
}

/** What the name of a vector stands for: `trait@layer:method`. */
export function vectorAxes(name: string): Axes {
  return { .../^(?<trait>.*)@(?<layer>\d+):(?<method>.*)$/.exec(name)?.groups }
}

export function vectorNamed(name: string): VectorName {
  const { trait, layer, method } = vectorAxes(name) as Record<'trait' | 'layer' | 'method', string>
  return { trait, layer: Number(layer), method }
}

/** The operations that make or take vectors. */
export const vectorOperations: readonly string[] = ['extract', 'contrast', 'adopt', 'random', 'shift']

/** The vectors that a task makes which is of one of these. */
export function vectorsMadeBy({ coordinate, data }: Task): VectorName[] {
  if (data.vectors) return data.vectors as unknown as VectorName[]
  const { layers, methods } = data as { layers: number[]; methods: string[] }
  return layers.flatMap((layer) => methods.map((method) => ({ trait: coordinate.trait as string, layer, method })))
}
