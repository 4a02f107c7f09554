import type { Axes } from '../../engine/core/step-kind.ts'

export interface VectorName {
  readonly trait: string
  readonly layer: number
  readonly method: string
}

/** `trait@layer:method`. */
export function vectorId({ trait, layer, method }: VectorName): string {
  return `${trait}@${layer}:${method}`
}

/** What the name of a vector stands for: `trait@layer:method`. */
export function vectorAxes(name: string): Axes {
  return { .../^(?<trait>.*)@(?<layer>\d+):(?<method>.*)$/.exec(name)?.groups }
}
