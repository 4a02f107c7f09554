import { isObject, type Json } from './json.ts'

/** Whether a parameter shapes the result (and enters the key), only the speed, or only how a result is shown. */
export type Affects = 'result' | 'performance' | 'presentation'

/** What a parameter's strings name, so that the engine can check them and draw the edges. */
export type RefTo = 'step' | 'model' | 'organism' | 'prompt-set' | 'trait' | 'file' | 'files'

/** JSON Schema draft-07 with annotations of ours: `x-affects` on every parameter, `x-ref` on names, `x-chooses` on choices, `x-ranges` on lists of numbers, `x-alone` on places. */
export interface ParamSchema {
  readonly type?: string | readonly string[]
  readonly description?: string
  readonly properties?: Readonly<Record<string, ParamSchema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | ParamSchema
  readonly items?: ParamSchema
  readonly anyOf?: readonly ParamSchema[]
  readonly enum?: readonly Json[]
  readonly const?: Json
  readonly default?: Json
  readonly pattern?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: number
  readonly minItems?: number
  readonly minLength?: number
  readonly minProperties?: number
  readonly uniqueItems?: boolean
  readonly propertyNames?: ParamSchema
  readonly 'x-affects'?: Affects
  readonly 'x-ref'?: RefTo
  /** Its values are ways to keep what is computed: the plan says what each of them takes. */
  readonly 'x-chooses'?: 'storage'
  /** In its lists of numbers a text such as `20-32` stands for all from the first to the last. */
  readonly 'x-ranges'?: boolean
  /** Where results are shown: no two steps of a kind may have the same. */
  readonly 'x-alone'?: boolean
}

/**
 * The named parameters that shape a result, as key components. One that is added to a kind later is named only when
 * it is not at its default, so that old keys stay as they were.
 */
export function resultComponents(
  schema: ParamSchema,
  params: Readonly<Record<string, Json>>,
  names: readonly string[],
): Record<string, Json> {
  const components: Record<string, Json> = {}
  for (const name of names) {
    if (schema.properties?.[name]?.['x-affects'] !== 'result') throw new Error(`parameter "${name}" does not affect the result`)
    const value = params[name]
    if (value !== undefined) components[name] = value
  }
  return components
}

/** One string in a step's parameters that names something, and where it stands. */
export interface Reference {
  readonly to: RefTo
  readonly name: string
  readonly path: readonly (string | number)[]
}

/** Every string of `value` that `schema` marks with `x-ref`. */
export function references(schema: ParamSchema, value: Json, path: readonly (string | number)[] = []): Reference[] {
  const ref = schema['x-ref']
  if (ref && typeof value === 'string') return [{ to: ref, name: value, path }]
  if (schema.anyOf) return schema.anyOf.flatMap((option) => references(option, value, path))
  if (Array.isArray(value) && schema.items) {
    const { items } = schema
    return value.flatMap((item: Json, index) => references(items, item, [...path, index]))
  }
  if (!isObject(value)) return []
  return Object.entries(value).flatMap(([key, member]) => {
    const extra = typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined
    const property = schema.properties?.[key] ?? extra
    return property ? references(property, member, [...path, key]) : []
  })
}

/** Whether `schema` has a place for a reference to such a thing. */
export function refersTo(schema: ParamSchema, to: RefTo): boolean {
  if (schema['x-ref'] === to) return true
  const parts = [...(schema.anyOf ?? []), ...Object.values(schema.properties ?? {}), ...(schema.items ? [schema.items] : [])]
  return parts.some((part) => refersTo(part, to))
}
