import { DatabaseSync } from 'node:sqlite'
import type { Workspace } from './workspace.ts'

/** Digest of every cell by key: what an undisturbed run and a disturbed one must agree on. */
export function cellDigests(workspace: Workspace): Map<string, string> {
  const db = new DatabaseSync(workspace.at('cache/index.db'), { readOnly: true })
  const rows = db.prepare('SELECT hex(key) AS key, hex(digest) AS digest FROM cells ORDER BY key').all() as {
    key: string
    digest: string
  }[]
  db.close()
  return new Map(rows.map((row) => [row.key, row.digest]))
}
