import { isList, isObject, type Json } from '../core/json.ts'
import type { ParamSchema } from '../core/schema.ts'
import type { StepKind } from '../core/step-kind.ts'
import type { Path, SourceDocument } from './document.ts'

const range = /^(\d{1,5})-(\d{1,5})$/

/** What to do about a text that looks like a range and is none. */
export function rangeHint(value: unknown): string | undefined {
  return typeof value === 'string' && range.test(value) ? 'a range runs upwards, such as 20-32' : undefined
}

/**
 * A document in which ranges such as `20-32`, where a step's parameter may have them, are the whole numbers that they
 * stand for. It still knows where everything is written. One that runs backwards stays as it is.
 */
export function withoutRanges(document: SourceDocument, kinds: readonly StepKind[]): SourceDocument {
  const { data } = document
  if (!isObject(data) || !isObject(data.steps)) return document
  /** Of each list with ranges, by its path: where its items are written, null for the list itself. */
  const written = new Map<string, readonly (number | null)[]>()

  const numbers = (value: Json, path: Path): Json => {
    if (isObject(value)) return mapped(value, (member, key) => numbers(member, [...path, key]))
    const items = isList(value) ? value : [value]
    const wide = items.map(numbersOf)
    if (wide.every((each) => each === null)) return value
    written.set(
      JSON.stringify(path),
      wide.flatMap((each, index) => (each ?? [0]).map(() => (isList(value) ? index : null))),
    )
    return items.flatMap((item, index) => wide[index] ?? [item])
  }
  const inside = (value: Json, schema: ParamSchema | undefined, path: Path): Json => {
    if (schema?.['x-ranges']) return numbers(value, path)
    if (!isObject(value) || !schema?.properties) return value
    return mapped(value, (member, key) => inside(member, schema.properties?.[key], [...path, key]))
  }
  const steps = mapped(data.steps, (step, name) =>
    inside(step, kinds.find(({ kind }) => isObject(step) && step.kind === kind)?.schema, ['steps', name]),
  )
  if (written.size === 0) return document
  const asWritten = (path: Path): Path =>
    path.flatMap((part, index) => {
      const items = typeof part === 'number' ? written.get(JSON.stringify(path.slice(0, index))) : undefined
      return items ? (items[part as number] ?? []) : [part]
    })
  return { ...document, data: { ...data, steps }, rangeOf: (path, of) => document.rangeOf(asWritten(path), of) }
}

function numbersOf(value: Json): number[] | null {
  const [, first, last] = (typeof value === 'string' && range.exec(value)) || []
  const count = Number(last) - Number(first) + 1
  return count > 0 ? Array.from({ length: count }, (_, index) => Number(first) + index) : null
}

function mapped(of: Readonly<Record<string, Json>>, change: (member: Json, key: string) => Json): Record<string, Json> {
  return Object.fromEntries(Object.entries(of).map(([key, member]) => [key, change(member, key)]))
}

/** The schema as editors need it: where ranges may stand, they are allowed. */
export function allowingRanges(schema: Json, allowed = false): Json {
  if (isList(schema)) return schema.map((part) => allowingRanges(part, allowed))
  if (!isObject(schema)) return schema
  const within = allowed || schema['x-ranges'] === true
  const inner = mapped(schema, (member) => allowingRanges(member, within))
  const holdsNumbers = inner.type === 'integer' || inner.type === 'array'
  return within && holdsNumbers ? { anyOf: [inner, { type: 'string', pattern: range.source }] } : inner
}
