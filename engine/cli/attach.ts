import type { RunFinished } from '../core/events.ts'
import { jsonSink, plainSink } from '../report/sinks.ts'
import { followJournal } from '../run/follow.ts'
import { storeLayout } from '../store/files/layout.ts'
import { lockHolder } from '../store/files/lock.ts'
import { isLiving } from '../store/files/lock-owner.ts'
import { journalFile } from '../store/runs/run-journal.ts'
import type { CliContext } from './common/context.ts'
import { exitCode, exitCodes } from './common/exit-codes.ts'
import { onOutputGone } from './common/output.ts'
import { asGiven, storeFolder } from './common/places.ts'
import { reportProblems } from './common/report-problems.ts'

export interface AttachFlags {
  readonly store?: string
  readonly ui: 'plain' | 'json'
}

/** Shows the run that holds the store until it ends, with its exit code. */
export async function attach(this: CliContext, flags: AttachFlags, file: string): Promise<void> {
  const { process } = this
  const layout = storeLayout(storeFolder(file, flags.store))
  const held = lockHolder(layout)
  const owner = held?.owner
  if (!held || !owner?.run) {
    const message = held ? `the store ${layout.root} is in use by ${held.text}` : `no run holds the store ${layout.root}`
    return reportProblems(process, [
      { severity: 'error', rule: 'no-run', message, hint: `start one with \`dag run ${asGiven(file, flags)}\`` },
    ])
  }
  process.stderr.write(`${held.text}\n`)
  let isWatched = true
  onOutputGone(() => (isWatched = false))
  const sink = (flags.ui === 'json' ? jsonSink : plainSink)((text) => process.stdout.write(text))
  let end: RunFinished | null = null
  for await (const event of followJournal(journalFile(layout.runs, owner.run), () => isLiving(owner))) {
    if (!isWatched) return
    sink.event(event)
    if (event.type === 'run-finished') end = event
  }
  await sink.close()
  process.stderr.write(
    end ? `the run is ${end.outcome}\n` : `process ${owner.pid} ended before its run did; go on with: dag run ${asGiven(file, flags)}\n`,
  )
  process.exitCode = end ? exitCode(end.outcome) : exitCodes.failed
}
