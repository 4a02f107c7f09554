import type { ParamSchema } from '../../engine/core/schema.ts'
import type { Problem, Step } from '../../engine/core/step-kind.ts'

/** The name of a step, or several. */
export const stepNames: ParamSchema = {
  anyOf: [
    { type: 'string', 'x-ref': 'step' },
    { type: 'array', items: { type: 'string', 'x-ref': 'step' }, minItems: 1, uniqueItems: true },
  ],
}

/** A kind as it is spoken of: `a rank step`, `an extract step`. */
export function aStep({ kind }: Step): string {
  return `${/^[aeiou]/.test(kind) ? 'an' : 'a'} ${kind} step`
}

/** The steps that such a parameter names, each with its place. */
export function namedSteps({ params }: Step, parameter: string): { readonly name: string; readonly place: Problem['path'] }[] {
  const named = params[parameter]
  const several = Array.isArray(named)
  return ([named].flat() as string[]).map((name, index) => ({ name, place: several ? [parameter, index] : [parameter] }))
}
