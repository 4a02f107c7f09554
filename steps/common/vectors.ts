import type { Axes } from '../../engine/core/step-kind.ts'

/** What the name of a vector stands for: `trait@layer:method`. */
export function vectorAxes(name: string): Axes {
  return { .../^(?<trait>.*)@(?<layer>\d+):(?<method>.*)$/.exec(name)?.groups }
}
