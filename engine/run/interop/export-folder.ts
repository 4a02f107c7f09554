import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseOrNull } from '../../core/json.ts'
import { removeEmpty } from '../../store/files/durable.ts'

/** In an export's folder: that it is one, which may be written into again, and the files that exports wrote there. */
const marker = '.dag-export'

/** Whether an export may write into a folder: a new one, an empty one, or that of a former export. */
export function isExportFolder(folder: string): boolean {
  return !existsSync(folder) || existsSync(path.join(folder, marker)) || readdirSync(folder).length === 0
}

/**
 * Notes what is about to be written into a folder, `written`; answers the files that former exports wrote, that are still
 * there and no `part` of the experiment any more. `prune`: they are removed.
 */
export function beginExport(folder: string, written: readonly string[], part: ReadonlySet<string>, prune: boolean): string[] {
  const before = listed(folder).filter((file) => existsSync(path.join(folder, file)))
  const former = before.filter((file) => !part.has(file))
  for (const file of prune ? former : []) {
    const target = path.join(folder, file)
    rmSync(target)
    removeEmpty(path.dirname(target), folder)
  }
  mkdirSync(folder, { recursive: true })
  const files = new Set([...written, ...before.filter((file) => !prune || part.has(file))])
  const note = { made: 'by dag export trait-interp, which may write into this folder again', files: [...files] }
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
