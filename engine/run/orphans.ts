import { readdirSync, readlinkSync } from 'node:fs'
import type { StoreLayout } from '../store/files/layout.ts'

/**
 * Ends what programs of a dead engine started and left behind: every process that works in the staging folder. Only
 * the holder of the lock may call it. Without /proc there is nothing to see.
 */
export function endOrphans(layout: StoreLayout): void {
  for (const name of processNames()) {
    try {
      if (`${readlinkSync(`/proc/${name}/cwd`)}/`.startsWith(`${layout.staging}/`)) process.kill(Number(name), 'SIGKILL')
    } catch {
      // It ended meanwhile, or is another user's.
    }
  }
}

function processNames(): string[] {
  try {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  } catch {
    return []
  }
}
