import { isObject } from '../core/json.ts'
import { isName, nameRule } from '../core/names.ts'
import { fail, ok, type Result } from '../core/result.ts'
import type { ContrastPair, TraitSource } from '../core/sources.ts'
import type { SourceFiles } from './files/files.ts'

/** Fewer pairs leave nothing to hold out. */
const fewestPairs = 4

/** Reads a contrast set: `{trait, category, reference?, pairs: [{id, prompt, positive, negative}]}`. */
export function readTrait(name: string, path: string, files: SourceFiles): Result<TraitSource, readonly string[]> {
  const file = files.json(path)
  if (!file.ok) return fail([file.error])
  const { pairs, category = 'trait' } = file.value
  if (!Array.isArray(pairs)) return fail(['it has no list "pairs"'])
  const mistakes: string[] = []
  // Both become folders of the results.
  if (!isName(name)) mistakes.push(`its file's name cannot be a name: ${nameRule}`)
  if (typeof category !== 'string' || !isName(category))
    mistakes.push(`its category ${JSON.stringify(category)} cannot be a name: ${nameRule}`)
  const seen = new Set<string>()
  const read = pairs.map((pair: unknown, index: number): ContrastPair => {
    const entry = isObject(pair) ? pair : {}
    const text = (key: string): string => {
      const value = entry[key]
      if (typeof value === 'string' && value.trim() !== '') return value
      mistakes.push(`pair ${index + 1}: it has no "${key}"`)
      return ''
    }
    const id = text('id')
    if (seen.has(id)) mistakes.push(`pair ${index + 1}: the id "${id}" is used twice`)
    seen.add(id)
    return { id, prompt: text('prompt'), positive: text('positive'), negative: text('negative') }
  })
  if (read.length < fewestPairs) mistakes.push(`it has ${read.length} pairs; at least ${fewestPairs} are needed`)
  if (mistakes.length > 0) return fail(mistakes)
  return ok({ name, category: category as string, reference: file.value.reference === true, pairs: read })
}
