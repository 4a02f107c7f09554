import { existsSync } from 'node:fs'
import path from 'node:path'
import { openIndex } from '../../store/index/index-db.ts'
import { storeLayout } from '../../store/files/layout.ts'
import { recallStanding } from '../../store/standing.ts'
import { storeFolder } from './places.ts'

/** Names the build of this program; null when it runs from source, where every file may have changed. */
export const programBuild: string | null = process.env.DAG_BUILD ?? null

/** What the last run of a workflow found to be up to date, and what has changed since: at most `most` files, else null. */
export function standingOf(file: string, store: string | undefined, most: number): ReturnType<typeof recallStanding> {
  const { index } = storeLayout(storeFolder(file, store))
  if (!programBuild || !existsSync(index)) return null
  const db = openIndex(index)
  try {
    return recallStanding(db, path.resolve(file), programBuild, most)
  } finally {
    db.close()
  }
}
