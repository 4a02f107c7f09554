/** Plain data: what a workflow, a key component or a message may hold. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject
export type JsonObject = { readonly [key: string]: Json }

/**
 * Canonical JSON in the manner of RFC 8785: keys sorted by code unit, no white space, numbers as ECMAScript
 * prints them. Equal data gives equal text, so it can be hashed.
 * @throws TypeError on what JSON cannot say (NaN, infinities, undefined inside an array).
 */
export function canonicalJson(value: Json): string {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new TypeError(`not a JSON number: ${value}`)
  if (value === undefined) throw new TypeError('undefined is not JSON')
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  if (isList(value)) return `[${value.map(canonicalJson).join(',')}]`
  let members = ''
  for (const key of Object.keys(value).sort()) {
    const member = value[key]
    if (member !== undefined) members += `${members === '' ? '' : ','}${JSON.stringify(key)}:${canonicalJson(member)}`
  }
  return `{${members}}`
}

export function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value)
}

/** Null for a text that is no JSON. */
export function parseOrNull(text: string): Json | null {
  try {
    return JSON.parse(text) as Json
  } catch {
    return null
  }
}

export function isObject(value: unknown): value is Record<string, Json> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
