import { isObject, type Json } from '../core/json.ts'
import { isName } from '../core/names.ts'
import type { SourceDocument } from '../spec/document.ts'
import type { Problems } from './problems.ts'

/** An organism as its list declares it. */
export interface Declared {
  readonly name: string
  /** Null: the base itself answers, `adapter: none`. */
  readonly adapter: string | null
  readonly revision: string | null
  readonly plants: readonly string[]
  /** Where the list says so. */
  readonly at: Readonly<Record<'adapter' | 'revision', readonly string[]>>
}

type Complain = (message: string, at: readonly string[], hint?: string) => void

/** Organisms of a list of ours, `organisms: {name: {adapter, revision, plants}}`, or of an experiment's `config.json`. */
export function declarations(document: SourceDocument, problems: Problems): Declared[] {
  const complain: Complain = (message, at, hint) =>
    problems.list.push({ severity: 'error', rule: 'organism', message, ...(hint ? { hint } : {}), range: document.rangeOf(at, 'value') })
  const data = isObject(document.data) ? document.data : {}
  if (isObject(data.model_variants))
    return variants(data.model_variants, Object.values(isObject(data.defaults) ? data.defaults : {}), complain)
  if (isObject(data.organisms)) return Object.entries(data.organisms).flatMap(([name, value]) => entryOf(name, value, complain))
  if (document.diagnostics.length === 0) complain('there is no list "organisms" of adapters by name', [])
  return []
}

function entryOf(name: string, value: Json, complain: Complain): Declared[] {
  const { adapter, revision, plants } = isObject(value) ? value : {}
  const at = ['organisms', name]
  if (!nameIsGood(name, at, complain)) return []
  if (typeof adapter !== 'string') {
    complain(`organism "${name}" has no "adapter"`, at, 'a folder, or hf:OWNER/NAME with a revision; none for the base itself')
    return []
  }
  const isBase = adapter === 'none'
  if (isBase && revision !== undefined)
    complain(`organism "${name}" has no adapter, and so no revision`, [...at, 'revision'], 'take it out')
  const planted = plants === undefined ? [] : [plants].flat()
  if (!planted.every((one) => typeof one === 'string'))
    complain(`what organism "${name}" plants is no name`, [...at, 'plants'], 'the name of a trait, or a list of names')
  return [{ ...declared(name, isBase ? null : adapter, revision, at, 'adapter'), plants: planted.map(String) }]
}

/** Variants of a model that are no organisms, whatever the experiment calls its defaults. */
const plainVariants = ['base', 'instruct', 'rm_lora']

/**
 * Organisms of a trait-interp experiment: `{defaults, model_variants: {name: {model, lora, revision}}}`, all but the
 * defaults and the plain variants. A `lora` that is no path is a repository on the hub.
 */
function variants(all: Readonly<Record<string, Json>>, defaults: readonly Json[], complain: Complain): Declared[] {
  return Object.entries(all).flatMap(([name, value]): Declared[] => {
    if (plainVariants.includes(name) || defaults.includes(name)) return []
    const { lora, revision } = isObject(value) ? value : {}
    const at = ['model_variants', name]
    if (!nameIsGood(name, at, complain)) return []
    if (typeof lora !== 'string') {
      complain(`variant "${name}" has no "lora"`, at, 'a folder, or OWNER/NAME on the hub with a revision; or name it among the defaults')
      return []
    }
    const adapter = /^[^./][^/]*\/[^/]+$/.test(lora) ? `hf:${lora}` : lora
    return [declared(name, adapter, revision, at, 'lora')]
  })
}

function declared(name: string, adapter: string | null, revision: Json | undefined, at: readonly string[], key: string): Declared {
  const places = { adapter: [...at, key], revision: [...at, 'revision'] }
  return { name, adapter, revision: revision === undefined ? null : String(revision), plants: [], at: places }
}

function nameIsGood(name: string, at: readonly string[], complain: Complain): boolean {
  if (isName(name)) return true
  complain(`"${name}" cannot be a name`, at, 'lower-case letters, digits, ".", "_" and "-", no ".."')
  return false
}
