import { appendFileSync, mkdirSync, renameSync } from 'node:fs'
import path from 'node:path'
import type { RunEvent } from '../core/events.ts'
import { journalFile } from '../store/runs/run-journal.ts'
import { isDiskFull } from './room.ts'

/** Where a run's events and logs are kept. */
export interface Journal {
  readonly folder: string
  event(event: RunEvent): void
  /** Path of the log of a task; null before it has one. */
  logOf(task: string): string | null
}

/** A log that has grown to this is set aside as `.1`, in place of the one before it. */
const longestLog = 8e6

/** Writes every event of a run to `journal.ndjson`, and log lines to a file for each task. */
export function openJournal(runsFolder: string, run: string): Journal {
  const folder = path.join(runsFolder, run)
  const logs = path.join(folder, 'logs')
  mkdirSync(logs, { recursive: true, mode: 0o700 })
  const file = journalFile(runsFolder, run)
  const written = new Map<string, number>()
  const logFile = (task: string) => path.join(logs, `${task.replaceAll('/', '~')}.log`)
  return {
    folder,
    event(event) {
      try {
        keep(event)
      } catch (error) {
        // What was done does not rest on it; the run itself stops for want of room.
        if (!isDiskFull(error)) throw error
      }
    },
    logOf: (task) => (written.has(task) ? logFile(task) : written.has('sidecar') ? logFile('sidecar') : null),
  }
  function keep(event: RunEvent): void {
    if (event.type === 'log') {
      const task = event.task ?? 'sidecar'
      const line = `${new Date(event.at).toISOString()} ${event.text}\n`
      let bytes = written.get(task) ?? 0
      if (bytes > longestLog) {
        renameSync(logFile(task), `${logFile(task)}.1`)
        bytes = 0
      }
      appendFileSync(logFile(task), line)
      written.set(task, bytes + Buffer.byteLength(line))
    } else appendFileSync(file, `${JSON.stringify(event)}\n`)
  }
}
