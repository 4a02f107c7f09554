import path from 'node:path'
import { isObject } from '../core/json.ts'
import { isName, nameRule } from '../core/names.ts'
import { fail, ok, type Result } from '../core/result.ts'
import type { ContrastPair, TraitSource } from '../core/sources.ts'
import type { SourceFiles } from './files/files.ts'
import { readScenarios } from './scenarios.ts'
import type { TraitPlace } from './trait-places.ts'

/** Fewer pairs leave nothing to hold out. */
const fewestPairs = 4

/** Where contrast sets are read from. */
export interface TraitFolder {
  readonly folder: string
  /** As the workflow names it. */
  readonly named: string
  readonly files: SourceFiles
}

/** Reads a contrast set. All its mistakes at once, in words. */
export function readTrait(place: TraitPlace, from: TraitFolder): Result<TraitSource, readonly string[]> {
  return place.category === null ? readPairs(place.name, path.join(from.folder, place.at), from.files) : readSides(place, from)
}

/** Reads written pairs: `{trait, category, reference?, pairs: [{id, prompt, positive, negative}]}`. */
function readPairs(name: string, at: string, files: SourceFiles): Result<TraitSource, readonly string[]> {
  const file = files.json(at)
  if (!file.ok) return fail([file.error])
  const { pairs, category = 'trait' } = file.value
  if (!Array.isArray(pairs)) return fail(['it has no list "pairs"'])
  const mistakes: string[] = []
  mistakes.push(...nameMistakes(name, category, 'file'))
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
  return ok({ name, category: category as string, reference: file.value.reference === true, pairs: read, scenarios: null })
}

/** Reads a contrast set whose sides are scenarios, in files of their own. */
function readSides({ name, category, at }: TraitPlace, { folder, named, files }: TraitFolder): Result<TraitSource, readonly string[]> {
  const sideOf = (side: string) => readScenarios(side, path.join(folder, at), path.join(named, at), files)
  const [positive, negative] = [sideOf('positive'), sideOf('negative')]
  const mistakes = [positive, negative].flatMap((side) => (side.ok ? [] : side.error))
  mistakes.push(...nameMistakes(name, category, 'folder'))
  if (mistakes.length > 0 || !positive.ok || !negative.ok) return fail(mistakes)
  const scenarios = { positive: positive.value, negative: negative.value }
  return ok({ name, category: category as string, reference: false, pairs: [], scenarios })
}

/** Both become folders of the results. */
function nameMistakes(name: string, category: unknown, is: 'file' | 'folder'): string[] {
  return [
    ...(isName(name) ? [] : [`its ${is}'s name cannot be a name: ${nameRule}`]),
    ...(typeof category === 'string' && isName(category) ? [] : [`its category ${JSON.stringify(category)} cannot be a name: ${nameRule}`]),
  ]
}
