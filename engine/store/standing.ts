import { readdirSync, readFileSync, statSync } from 'node:fs'
import { basename } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { setTimeout as passed } from 'node:timers/promises'
import type { Digest } from '../core/digest.ts'
import { contentOf, type Look, lookText, mostRead, settlesIn } from '../core/file-stamp.ts'
import { type Json, parseOrNull } from '../core/json.ts'
import type { StoreLayout } from './files/layout.ts'
import { fileOfName, objectPath } from './files/layout.ts'
import type { ViewRow } from './view.ts'

/** What a run left behind that has nothing more to do. */
export interface Standing {
  readonly tasks: number
  readonly cells: number
  readonly look: readonly string[]
  /** What a plan of it says. */
  readonly report: Json
  /** What the prompt sets were like. */
  readonly prompts: Json
}

/**
 * The shortcut of what has nothing to do: the answer of the last run of a workflow, with what it stands on that has
 * changed since: of the program (then there is no answer), every file that was read or missed, every object and every
 * shown result, each by size, times and inode, a text or a folder that is another by those by what it holds. More than
 * `most` changes are not looked for.
 */
export function recallStanding(
  db: DatabaseSync,
  workflow: string,
  program: string,
  most: number,
): { readonly standing: Standing; readonly changed: readonly string[] } | null {
  const row = db.prepare('SELECT witnesses, answer FROM standing WHERE workflow = ? AND program = ?').get(workflow, program) as
    | { witnesses: string; answer: string }
    | undefined
  if (!row) return null
  const witnesses = parseOrNull(row.witnesses) as unknown as Witnesses | null
  if (!witnesses) return null
  const changed: string[] = []
  for (const path in witnesses) {
    const { stamp, content } = witnesses[path] as Look
    if (lookAt(path).text === stamp || (content !== undefined && readAgain(path) === content)) continue
    changed.push(path)
    if (changed.length > most) return null
  }
  const standing = parseOrNull(row.answer) as unknown as Standing | null
  return standing && { standing, changed }
}

/** Objects that the last run of a workflow stands on and whose stamp has changed since: their bytes may have too. */
export function touchedObjects(db: DatabaseSync, layout: StoreLayout, workflow: string): Digest[] {
  const row = db.prepare('SELECT witnesses FROM standing WHERE workflow = ?').get(workflow) as { witnesses: string } | undefined
  const witnesses = Object.entries((parseOrNull(row?.witnesses ?? '') as unknown as Witnesses | null) ?? {})
  return witnesses.flatMap(([path, { stamp }]) => {
    const object = basename(path)
    return path === objectPath(layout, object) && ![stamp, 'absent'].includes(lookAt(path).text) ? [object] : []
  })
}

/**
 * Remembers a run that left nothing to do, unless something had only just changed when it was read, or files of ended runs
 * still lie in staging: the next run removes them, and the shortcut would not. `seen`: what was read, as it was then: what
 * somebody has changed since, while the run went on, is another thing than what the answer stands on. What the run itself
 * has just written is waited for until a further change would show, some hundredths of a second.
 */
export async function rememberStanding(
  db: DatabaseSync,
  layout: StoreLayout,
  workflow: string,
  program: string,
  seen: ReadonlyMap<string, Look>,
  answer: Standing,
): Promise<void> {
  if (readdirSync(layout.staging).length > 0) return
  const witnesses: Witnesses = {}
  for (const [path, look] of seen) {
    if (look.stamp === null) return
    witnesses[path] = look
  }
  const objects = db.prepare("SELECT DISTINCT value FROM done, json_each(iif(json_valid(objects), objects, '[]'))").all() as {
    value: string
  }[]
  const stored = objects.map(({ value }): Made => ({ path: objectPath(layout, value), written: null }))
  const made = await settled([...stored, ...shownFiles(db, layout)])
  if (!made) return
  for (const { path, text } of made) witnesses[path] = { stamp: text }
  db.prepare('INSERT OR REPLACE INTO standing (workflow, program, witnesses, answer) VALUES (?, ?, ?, ?)').run(
    workflow,
    program,
    JSON.stringify(witnesses),
    JSON.stringify(answer),
  )
}

type Witnesses = Record<string, Look>

/** A file of the store or one that people look at; `written`: its look when a run had just written it, where that is known. */
interface Made {
  readonly path: string
  readonly written: string | null
}

function shownFiles(db: DatabaseSync, layout: StoreLayout): Made[] {
  const rows = db.prepare('SELECT path, size, mtime, ctime, inode FROM views').all() as unknown as (ViewRow & { path: string })[]
  return rows.map(({ path, size, mtime, ctime, inode }) => ({
    path: fileOfName(layout, path),
    written: size === null ? null : `${size} ${mtime} ${ctime} ${inode}`,
  }))
}

/** Milliseconds; more, and the clock of the file system is another one. */
const longestWait = 100

/** How files look once a further change of each would show; null where that does not come, or one was changed since it was written. */
async function settled(files: readonly Made[]): Promise<readonly { readonly path: string; readonly text: string }[] | null> {
  const look = () => files.map((file) => ({ ...file, ...lookAt(file.path) }))
  const found = look()
  const last = found.reduce((longest, { settlesIn: left }) => Math.max(longest, left), 0)
  if (last <= 0) return found
  if (last > longestWait) return null
  await passed(last + 1)
  const now = look()
  const isAsWritten = ({ written, text }: (typeof now)[number], index: number) =>
    written === null || text === written || (found[index]?.settlesIn ?? 0) <= 0
  return now.every((file, index) => file.settlesIn <= 0 && isAsWritten(file, index)) ? now : null
}

/** What a text or a folder holds now; null where it cannot be read, or is too large to be. */
function readAgain(path: string): string | null {
  try {
    const stat = statSync(path)
    if (stat.isDirectory()) return contentOf(readdirSync(path).sort())
    return stat.isFile() && stat.size <= mostRead ? contentOf(readFileSync(path)) : null
  } catch {
    return null
  }
}

function lookAt(path: string): { text: string; settlesIn: number } {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false })
  return { text: lookText(stat), settlesIn: stat ? settlesIn(stat.ctimeNs, Date.now()) : 0 }
}
