import type { Json } from '../../engine/core/json.ts'
import type { ParamSchema, RefTo } from '../../engine/core/schema.ts'

/** A parameter that is `all` or a list of names. */
export function selection(ref: RefTo, description: string): ParamSchema {
  return {
    description,
    anyOf: [{ const: 'all' }, { type: 'array', items: { type: 'string', 'x-ref': ref }, minItems: 1, uniqueItems: true }],
    default: 'all',
    'x-affects': 'result',
  }
}

/** The things that a selection names, in the order of the sources. `all` leaves references out. */
export function pick<T extends { readonly name: string; readonly reference?: boolean }>(
  selected: Json | undefined,
  all: readonly T[],
): readonly T[] {
  return Array.isArray(selected) ? all.filter((one) => selected.includes(one.name)) : all.filter((one) => one.reference !== true)
}

/** Cuts a list into runs of at most `size`. */
export function chunks<T>(list: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, index) => list.slice(index * size, (index + 1) * size))
}
