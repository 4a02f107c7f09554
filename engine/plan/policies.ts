import { isObject, type Json } from '../core/json.ts'
import type { ParamSchema } from '../core/schema.ts'
import type { Step, StepKind } from '../core/step-kind.ts'

/** One way of keeping what is computed, with the steps of a workflow written so throughout. */
export interface StoragePolicy {
  readonly name: string
  readonly steps: readonly Step[]
  /** Whether the workflow is written so already. */
  readonly asWritten: boolean
}

/** Every policy that the kinds of these steps offer, in the order of their schema; none where no step has such a choice. */
export function storagePolicies(steps: readonly Step[], kinds: readonly StepKind[]): StoragePolicy[] {
  const schemaOf = new Map(kinds.map(({ kind, schema }) => [kind, schema]))
  const made = steps.flatMap(({ kind, params }) => choices(schemaOf.get(kind) as ParamSchema, params))
  return [...new Set(made.flatMap(({ of }) => of))].map((name) => {
    const written = steps.map((step) => ({ ...step, params: rewritten(schemaOf.get(step.kind) as ParamSchema, step.params, name) }))
    return { name, steps: written as unknown as Step[], asWritten: made.every(({ chosen }) => chosen === name) }
  })
}

/** Every choice in a value: what it is of, and what it is. */
function choices(schema: ParamSchema, value: Json): { readonly of: readonly string[]; readonly chosen: string }[] {
  if (!isObject(value)) return []
  return Object.entries(schema.properties ?? {}).flatMap(([name, member]) => {
    if (member['x-chooses'] !== 'storage') return choices(member, value[name] ?? null)
    return [{ of: member.enum as string[], chosen: (value[name] ?? member.default) as string }]
  })
}

/** The value with every choice in it made so. */
function rewritten(schema: ParamSchema, value: Json, choice: string): Json {
  if (!isObject(value)) return value
  const members = Object.entries(schema.properties ?? {}).flatMap(([name, member]): [string, Json][] => {
    if (member['x-chooses'] === 'storage') return [[name, choice]]
    return name in value ? [[name, rewritten(member, value[name] as Json, choice)]] : []
  })
  return { ...value, ...Object.fromEntries(members) }
}
