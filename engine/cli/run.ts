import { existsSync } from 'node:fs'
import path from 'node:path'
import type { RunFinished } from '../core/events.ts'
import { summaryLines } from '../report/summary.ts'
import { openIndex } from '../store/index-db.ts'
import { storeLayout } from '../store/layout.ts'
import { recallStanding, type Standing } from '../store/standing.ts'
import type { CliContext } from './context.ts'
import type { Ui } from './ui.ts'
import { storeFolder } from './places.ts'

export interface RunFlags {
  readonly store?: string
  readonly ui: Ui
  /** Bytes of the store's disk. */
  readonly keepFree: number
  readonly pilot: boolean
}

/** Names the build of this program; null when it runs from source, where every file may have changed. */
export const programBuild: string | null = process.env.DAG_BUILD ?? null

/** Answers at once when nothing that the last run stands on has changed; loads the rest of the engine only if not. */
export async function run(this: CliContext, flags: RunFlags, file: string): Promise<void> {
  const standing = standingOf(file, flags.store)
  if (!standing) {
    const { runWorkflowFile } = await import('./run-workflow.ts')
    return runWorkflowFile(this.process, flags, file)
  }
  const text =
    flags.ui === 'json'
      ? JSON.stringify({ at: Date.now(), ...finishedOf(standing) })
      : summaryLines(finishedOf(standing), { command: '', read: () => null, tail: () => [] }).join('\n')
  this.process.stdout.write(`${text}\n`)
}

function standingOf(file: string, store: string | undefined): Standing | null {
  const { index } = storeLayout(storeFolder(file, store))
  if (!programBuild || !existsSync(index)) return null
  const db = openIndex(index)
  try {
    return recallStanding(db, path.resolve(file), programBuild)
  } finally {
    db.close()
  }
}

function finishedOf({ tasks, cells, look }: Standing): RunFinished {
  return {
    type: 'run-finished',
    run: 'none',
    outcome: 'done',
    tasks: { ran: 0, reused: tasks, failed: 0 },
    cells: { ran: 0, reused: cells, failed: 0 },
    modelLoads: 0,
    adapterSwitches: 0,
    unchangedAfterAll: 0,
    seconds: 0,
    bytes: 0,
    givenUp: 0,
    peakMemory: 0,
    because: null,
    failure: null,
    look,
  }
}
