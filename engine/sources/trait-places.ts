import path from 'node:path'
import type { SourceFiles } from './files/files.ts'
import { holdsScenarios } from './scenarios.ts'

/** Where a contrast set lies in the folder of all. */
export interface TraitPlace {
  readonly name: string
  /** Below the folder, as `only` may name it: `kind`, `moods/calm`. */
  readonly id: string
  /** The file of written pairs, or the folder of scenarios, below the folder of all. */
  readonly at: string
  /** The folder that it lies in, where it has one of its own; the file of pairs says its category itself. */
  readonly category: string | null
}

/** All contrast sets in a folder: `{trait}.json`, `{trait}/positive.txt` and `{category}/{trait}/positive.txt`. Throws where it cannot be read. */
export function traitPlaces(folder: string, files: SourceFiles): TraitPlace[] {
  const pairs: TraitPlace[] = []
  const scenarios: TraitPlace[] = []
  for (const name of files.list(folder)) {
    if (name.endsWith('.json')) pairs.push({ name: name.slice(0, -5), id: name.slice(0, -5), at: name, category: null })
    const within = folderNames(name, folder, files)
    if (holdsScenarios(within)) scenarios.push({ name, id: name, at: name, category: path.basename(folder) })
    else
      for (const inner of within) {
        const at = path.join(name, inner)
        if (holdsScenarios(folderNames(inner, path.join(folder, name), files)))
          scenarios.push({ name: inner, id: `${name}/${inner}`, at, category: name })
      }
  }
  return [...pairs, ...scenarios]
}

/** What is in a folder; nothing in what is none. Names with a dot are taken for files. */
function folderNames(name: string, within: string, files: SourceFiles): string[] {
  if (name.includes('.')) return []
  try {
    return files.list(path.join(within, name))
  } catch {
    return []
  }
}
