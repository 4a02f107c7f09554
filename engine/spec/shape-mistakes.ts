import type { ErrorObject } from 'ajv'
import type { Diagnostic } from '../core/diagnostic.ts'
import { isList, isObject, type Json } from '../core/json.ts'
import { nameRule, suggestion } from '../core/names.ts'
import type { ParamSchema } from '../core/schema.ts'
import type { Path, SourceDocument } from './document.ts'
import { rangeHint } from './ranges.ts'

/** Checks data against the workflow schema, filling in nothing. Empty when it fits. */
export type ShapeCheck = (data: Json) => readonly ErrorObject[]

/** What is wrong with the shape of a workflow, in words. */
export function shapeMistakes(errors: readonly ErrorObject[], document: SourceDocument): readonly Diagnostic[] {
  const choices = errors.filter(({ keyword }) => keyword === 'anyOf')
  const meant = errors.filter((error) => choices.every((choice) => isMeant(error, choice)))
  return unique(meant.flatMap((error) => explain(error, document)))
}

/**
 * Of a value that may have several forms, what is wrong with those that it is of is told, and nothing of the others; that
 * it is of none, where that is so.
 */
function isMeant(error: ErrorObject, choice: ErrorObject): boolean {
  const forms = choice.schema as readonly ParamSchema[]
  const isOf = (form: ParamSchema | undefined) => form !== undefined && isOfType(choice.data as Json, form.type)
  if (error === choice) return !forms.some(isOf)
  const ofForms = `${choice.schemaPath}/`
  if (!error.schemaPath.startsWith(ofForms) || !`${error.instancePath}/`.startsWith(`${choice.instancePath}/`)) return true
  return isOf(forms[Number(error.schemaPath.slice(ofForms.length).split('/')[0])])
}

function isOfType(value: Json, type: ParamSchema['type']): boolean {
  return [type ?? []].flat().some((each) => {
    if (each === 'object') return isObject(value)
    if (each === 'array') return isList(value)
    return each === typeof value || (typeof value === 'number' && (each === 'number' || (each === 'integer' && Number.isInteger(value))))
  })
}

/** One schema error in words. `if` errors repeat what their `then` says and are left out. */
function explain(error: ErrorObject, document: SourceDocument): Diagnostic[] {
  const at = pointer(error.instancePath, document.data)
  const where = at.length === 0 ? 'the workflow' : `"${at.join('.')}"`
  const say = (rule: string, message: string, of: 'key' | 'value', place: Path, hint?: string): Diagnostic[] => [
    { severity: 'error', rule, message, ...(hint ? { hint } : {}), range: document.rangeOf(place, of) },
  ]
  switch (error.keyword) {
    case 'if':
      return []
    case 'anyOf':
      return say('type', `${where} is neither ${(error.schema as ParamSchema[]).map(formOf).join(' nor ')}`, 'value', at)
    case 'additionalProperties': {
      const key = String(error.params.additionalProperty)
      const known = (error.parentSchema as ParamSchema | undefined)?.properties ?? {}
      const [inside] = Object.entries(known).find(([, { properties }]) => properties?.[key] !== undefined) ?? []
      const hint = inside === undefined ? suggestion(key, Object.keys(known)) : `it is a key of \`${inside}\``
      return say('unknown-key', `${where} has no key "${key}"`, 'key', [...at, key], hint)
    }
    case 'required':
      return say('missing-key', `${where} lacks the key "${error.params.missingProperty}"`, 'key', at)
    case 'enum': {
      // That it is no text at all is told already.
      if (error.parentSchema?.type === 'string' && typeof error.data !== 'string') return []
      const allowed = (error.params.allowedValues as Json[]).map(String)
      const value = String(error.data)
      const isKind = at.at(-1) === 'kind' && at[0] === 'steps'
      const message = isKind ? `there is no step kind "${value}"` : `${where} is "${value}"`
      return say(isKind ? 'unknown-kind' : 'value', message, 'value', at, suggestion(value, allowed))
    }
    case 'pattern':
      if (error.propertyName !== undefined) return [badName(error.propertyName, document, [...at, error.propertyName], 'key')]
      return error.parentSchema?.description === undefined || at.at(-1) === 'workflow' || at.at(-1) === 'experiment'
        ? [badName(String(error.data), document, at, 'value')]
        : say('value', `${where} is "${String(error.data)}"`, 'value', at, String(error.parentSchema.description))
    case 'propertyNames':
      return []
    default:
      return say(error.keyword === 'type' ? 'type' : 'value', `${where} ${error.message}`, 'value', at, rangeHint(error.data))
  }
}

/** A JSON pointer as a path, with list indices as numbers. */
function pointer(text: string, data: Json): (string | number)[] {
  let value: Json | undefined = data
  return text
    .split('/')
    .slice(1)
    .map((part) => {
      const key = part.replaceAll('~1', '/').replaceAll('~0', '~')
      const index = isList(value ?? null) ? Number(key) : key
      value = typeof value === 'object' && value !== null ? (value as Record<string, Json>)[key] : undefined
      return index
    })
}

const forms: Readonly<Record<string, string>> = {
  string: 'a text',
  array: 'a list',
  object: 'a mapping',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
}

function formOf({ type }: ParamSchema): string {
  return [type ?? []]
    .flat()
    .map((each) => forms[each] ?? each)
    .join(' or ')
}

export function badName(name: string, document: SourceDocument, at: Path, of: 'key' | 'value'): Diagnostic {
  return {
    severity: 'error',
    rule: 'name',
    message: `"${name}" cannot be a name`,
    hint: nameRule,
    range: document.rangeOf(at, of),
  }
}

function unique(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const seen = new Set<string>()
  return diagnostics.filter((diagnostic) => {
    const key = `${diagnostic.range?.line}:${diagnostic.range?.column}:${diagnostic.rule}:${diagnostic.message}`
    return !seen.has(key) && seen.add(key)
  })
}
