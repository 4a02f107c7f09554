import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseOrNull } from '../core/json.ts'
import { removeEmpty } from '../store/durable.ts'

/** In an export's folder: that it is one, which may be written into again, and the files that exports wrote there. */
const marker = '.dag-export'

/** Whether an export may write into a folder: a new one, an empty one, or that of a former export. */
export function isExportFolder(folder: string): boolean {
  return !existsSync(folder) || existsSync(path.join(folder, marker)) || readdirSync(folder).length === 0
}

/**
 * Notes what is about to be written into a folder; answers the files of former exports that are still there and no longer
 * part of it. `prune`: they are removed.
 */
export function beginExport(folder: string, files: ReadonlySet<string>, prune: boolean): string[] {
  const former = listed(folder).filter((file) => !files.has(file) && existsSync(path.join(folder, file)))
  if (prune) {
    for (const file of former) {
      rmSync(path.join(folder, file), { force: true })
      removeEmpty(path.dirname(path.join(folder, file)), folder)
    }
  }
  mkdirSync(folder, { recursive: true })
  const note = { made: 'by dag export trait-interp, which may write into this folder again', files: [...files, ...(prune ? [] : former)] }
  writeFileSync(path.join(folder, `${marker}.partial`), `${JSON.stringify(note, null, 1)}\n`)
  renameSync(path.join(folder, `${marker}.partial`), path.join(folder, marker))
  return former
}

/** What former exports wrote, as they noted it: paths below the folder. */
function listed(folder: string): string[] {
  const noted = path.join(folder, marker)
  const note = existsSync(noted) ? (parseOrNull(readFileSync(noted, 'utf8')) as { files?: unknown } | null) : null
  const files = Array.isArray(note?.files) ? note.files : []
  return files.filter((file): file is string => typeof file === 'string' && path.join(folder, file).startsWith(folder + path.sep))
}
