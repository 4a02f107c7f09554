import type { ParamSchema } from '../../engine/core/schema.ts'
import type { ExpandContext, Origin, Problem, Step } from '../../engine/core/step-kind.ts'
import { layerProblems } from './capture.ts'
import { paramOrigin } from './origins.ts'

/** Parameters that say how long a state of the residual stream is: the model by name, or the number. */
export const hiddenParams: Readonly<Record<'model' | 'hidden', ParamSchema>> = {
  model: {
    type: 'string',
    description: 'The model whose residual stream it is; only its size is looked at.',
    'x-ref': 'model',
    'x-affects': 'result',
  },
  hidden: {
    type: 'integer',
    minimum: 1,
    description: 'In place of `model`: how many values a state of its residual stream has.',
    'x-affects': 'result',
  },
}

export interface Hidden {
  readonly hidden: number
  readonly origin: Origin
  /** Layers that are known not to exist; `key` is the parameter that names them. */
  problems(layers: readonly number[], key: string): Problem[]
}

/** How long a state is, or what is wrong. Null where a named model cannot be read, which is said elsewhere. */
export function hiddenOf(step: Step, context: ExpandContext): Hidden | Problem | null {
  const { model: name, hidden } = step.params
  if ((name === undefined) === (hidden === undefined)) {
    const message = name === undefined ? 'it lacks the length of a state' : '"model" and "hidden" both say how long a state is'
    return {
      rule: 'hidden',
      message,
      hint: 'name the `model`, or give `hidden`, the number of values',
      path: name === undefined ? [] : ['hidden'],
    }
  }
  if (hidden !== undefined) return { hidden: hidden as number, origin: paramOrigin(step.name, 'hidden'), problems: () => [] }
  const base = context.sources.models.get(name as string)
  return (
    (base && {
      hidden: base.facts.hidden,
      origin: { from: 'model', name: base.name },
      problems: (layers, key) => layerProblems(layers, { base, adapter: null }, [key]),
    }) ??
    null
  )
}
