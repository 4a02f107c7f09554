import type { RunFinished } from '../core/events.ts'
import { summaryLines } from '../report/summary.ts'
import type { Standing } from '../store/standing.ts'
import type { CliContext } from './common/context.ts'
import { standingOf } from './common/standing.ts'
import type { Ui } from './common/ui.ts'

export interface RunFlags {
  readonly store?: string
  readonly ui: Ui
  /** Bytes of the store's disk. */
  readonly keepFree: number
  readonly pilot: boolean
  readonly device?: readonly string[]
}

/** Answers at once when nothing that the last run stands on has changed; loads the rest of the engine only if not. */
export async function run(this: CliContext, flags: RunFlags, file: string): Promise<void> {
  const standing = standingOf(file, flags.store, 0)?.standing
  if (!standing) {
    const { runWorkflowFile } = await import('./run-workflow.ts')
    return runWorkflowFile(this.process, flags, file)
  }
  const text =
    flags.ui === 'json'
      ? JSON.stringify({ at: Date.now(), ...finishedOf(standing) })
      : summaryLines(finishedOf(standing), { command: '', columns: Infinity, read: () => null, tail: () => [] }).join('\n')
  this.process.stdout.write(`${text}\n`)
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
