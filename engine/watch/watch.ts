import { statSync } from 'node:fs'
import { watch as watchFiles } from 'chokidar'
import { type Look, lookText } from '../core/file-stamp.ts'

export interface Watcher {
  /** Watches what was looked at in place of what was before: files, folders for what is directly in them, and what is not there yet. */
  follow(seen: ReadonlyMap<string, Look>): void
  close(): Promise<void>
}

/** Changes that come within this time are one change: editors write a file in several steps. */
const quietMs = 150

/**
 * Calls `onChange` when something is no longer as it was looked at, once for a burst of changes, and never while it is
 * still at work. What changed before it was watched counts, too.
 */
export function watchPaths(onChange: () => Promise<void>): Watcher {
  let looks: ReadonlyMap<string, Look> = new Map()
  const watched = new Set<string>()
  // Each path is told of once when it begins to be watched, which is when to look whether it still is as it was.
  const watcher = watchFiles([], { depth: 0 })
  let timer: NodeJS.Timeout | undefined
  let atWork = false
  const lookSoon = (): void => {
    clearTimeout(timer)
    timer = setTimeout(() => void work(), quietMs)
  }
  const work = async (): Promise<void> => {
    if (atWork || [...looks].every(isAsItWas)) return
    atWork = true
    await onChange()
    atWork = false
    lookSoon()
  }
  watcher.on('all', lookSoon)
  return {
    follow(seen) {
      looks = new Map(seen)
      const more = [...seen.keys()].filter((path) => !watched.has(path))
      for (const path of more) watched.add(path)
      if (more.length > 0) watcher.add(more)
    },
    async close() {
      clearTimeout(timer)
      await watcher.close()
    },
  }
}

function isAsItWas([path, { stamp }]: readonly [string, Look]): boolean {
  return stamp === lookText(statSync(path, { bigint: true, throwIfNoEntry: false }))
}
