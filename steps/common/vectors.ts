import type { Sources } from '../../engine/core/sources.ts'
import type { Axes, Task } from '../../engine/core/step-kind.ts'

export interface VectorName {
  readonly trait: string
  readonly layer: number
  readonly method: string
}

/** The method of random directions. */
export const randomMethod = 'random'

/** The folder that the vectors of a trait stand in: that of its contrast set; `otherwise` where it has none. */
export function vectorCategory(
  { trait, method }: Pick<VectorName, 'trait' | 'method'>,
  { traits }: Pick<Sources, 'traits'>,
  otherwise: string,
): string {
  if (method === randomMethod) return 'random_baseline'
  return traits.find(({ name }) => name === trait)?.category ?? otherwise
}

/** `trait@layer:method`. */
export function vectorId({ trait, layer, method }: VectorName): string {
  return `${trait}@${layer}:${method}`
}

/** Name of the scores of a prompt's answer along a vector: `prompt@layer:trait:method`. */
export function projectionId(prompt: string, { trait, layer, method }: VectorName): string {
  return `${prompt}@${layer}:${trait}:${method}`
}

/** What the name of a vector stands for: `trait@layer:method`. */
export function vectorAxes(name: string): Axes {
  return { .../^(?<trait>.*)@(?<layer>\d+):(?<method>.*)$/.exec(name)?.groups }
}

/** The operations that make or take vectors. */
export const vectorOperations: readonly string[] = ['extract', 'contrast', 'adopt', 'random']

/** The vectors that a task makes which is of one of these. */
export function vectorsMadeBy({ coordinate, data }: Task): VectorName[] {
  if (data.vectors) return data.vectors as unknown as VectorName[]
  const { layers, methods } = data as { layers: number[]; methods: string[] }
  return layers.flatMap((layer) => methods.map((method) => ({ trait: coordinate.trait as string, layer, method })))
}
