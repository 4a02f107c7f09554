import type { Origin, Step } from '../../engine/core/step-kind.ts'

/** Key components that are parameters of the step, under their own names. */
export function paramOrigins(step: Step, names: readonly string[]): Record<string, Origin> {
  return Object.fromEntries(names.map((name) => [name, paramOrigin(step.name, name)]))
}

/** A parameter of a step, also one within another. */
export function paramOrigin(step: string, ...path: readonly string[]): Origin {
  return { from: 'workflow', path: ['steps', step, ...path] }
}
