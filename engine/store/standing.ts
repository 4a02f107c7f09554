import { readdirSync, statSync } from 'node:fs'
import { basename } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import type { Digest } from '../core/digest.ts'
import { type Json, parseOrNull } from '../core/json.ts'
import type { StoreLayout } from './layout.ts'
import { fileOfName, objectPath } from './layout.ts'

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

/** Time stamps tick coarsely; what changed this recently could change again under the same stamp. */
const settledMs = 50

/**
 * The shortcut of what has nothing to do: the answer of the last run of a workflow, with what it stands on that has
 * changed since: of the program (then there is no answer), every file that was read or missed, every object and every
 * shown result, each by size, times and inode. More than `most` changes are not looked for.
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
  const witnesses = parseOrNull(row.witnesses) as unknown as Record<string, string> | null
  if (!witnesses) return null
  const changed: string[] = []
  for (const path in witnesses) {
    if (stampText(path).text === witnesses[path]) continue
    changed.push(path)
    if (changed.length > most) return null
  }
  const standing = parseOrNull(row.answer) as unknown as Standing | null
  return standing && { standing, changed }
}

/** Objects that the last run of a workflow stands on and whose stamp has changed since: their bytes may have too. */
export function touchedObjects(db: DatabaseSync, layout: StoreLayout, workflow: string): Digest[] {
  const row = db.prepare('SELECT witnesses FROM standing WHERE workflow = ?').get(workflow) as { witnesses: string } | undefined
  const witnesses = Object.entries((parseOrNull(row?.witnesses ?? '') as unknown as Record<string, string> | null) ?? {})
  return witnesses.flatMap(([path, stamp]) => {
    const object = basename(path)
    return path === objectPath(layout, object) && ![stamp, 'absent'].includes(stampText(path).text) ? [object] : []
  })
}

/**
 * Remembers a run that left nothing to do, unless something it stands on has only just changed, or files of ended runs
 * still lie in staging: the next run removes them, and the shortcut would not.
 */
export function rememberStanding(
  db: DatabaseSync,
  layout: StoreLayout,
  workflow: string,
  program: string,
  seen: Iterable<string>,
  answer: Standing,
): void {
  if (readdirSync(layout.staging).length > 0) return
  const witnesses: Record<string, string> = {}
  const objects = db.prepare("SELECT DISTINCT value FROM done, json_each(iif(json_valid(objects), objects, '[]'))").all() as {
    value: string
  }[]
  const views = db.prepare('SELECT path FROM views').all() as { path: string }[]
  const paths = [...seen, ...objects.map(({ value }) => objectPath(layout, value)), ...views.map(({ path }) => fileOfName(layout, path))]
  for (const path of paths) {
    const stamp = stampText(path)
    if (Date.now() - stamp.changedMs < settledMs) return
    witnesses[path] = stamp.text
  }
  db.prepare('INSERT OR REPLACE INTO standing (workflow, program, witnesses, answer) VALUES (?, ?, ?, ?)').run(
    workflow,
    program,
    JSON.stringify(witnesses),
    JSON.stringify(answer),
  )
}

function stampText(path: string): { text: string; changedMs: number } {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false })
  if (!stat) return { text: 'absent', changedMs: 0 }
  return { text: `${stat.size} ${stat.mtimeNs} ${stat.ctimeNs} ${stat.ino}`, changedMs: Number(stat.ctimeNs / 1_000_000n) }
}
