import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import { kinds } from '../../steps/index.ts'
import type { Diagnostic } from '../core/diagnostic.ts'
import type { RunEvent } from '../core/events.ts'
import type { Json } from '../core/json.ts'
import { promptMarks } from '../plan/reworded.ts'
import { type Prepared, prepare } from '../prepare.ts'
import { doneReport } from '../report/edit-report.ts'
import { summaryLines } from '../report/summary.ts'
import { runWorkflow } from '../run/begin.ts'
import { isDiskFull } from '../run/room.ts'
import { newRunId } from '../run/run.ts'
import type { Ended } from '../run/session.ts'
import type { SidecarCommand } from '../run/executors/sidecar.ts'
import { makeFolders, type StoreLayout, storeLayout } from '../store/files/layout.ts'
import { type Held, takeLock } from '../store/files/lock.ts'
import { rememberStanding, touchedObjects } from '../store/standing.ts'
import type { Store } from '../store/store.ts'
import { exitCode, exitCodes } from './common/exit-codes.ts'
import { listenForInterruptions } from './common/interruptions.ts'
import { notifyProblems, notifySink } from './common/notify.ts'
import { defaultPilot, runPilot } from './pilot.ts'
import { asGiven, sidecarCommand, storeFolder, workspaceOf } from './common/places.ts'
import { planAloudInTurns } from './common/planning.ts'
import { reportProblems } from './common/report-problems.ts'
import type { RunFlags } from './run.ts'
import { programBuild } from './common/standing.ts'
import { createStop, type Stop } from './common/stop.ts'
import { runSink } from './common/ui.ts'
import { openStoreAloud } from './common/workspace.ts'

/** Takes the store, then plans and does what is not up to date. */
export async function runWorkflowFile(process: NodeJS.Process, flags: RunFlags, file: string): Promise<void> {
  const sidecar = sidecarCommand(process.env)
  if (!sidecar.ok) return reportProblems(process, [sidecar.error])
  const layout = storeLayout(storeFolder(file, flags.store))
  const stop = createStop(() => process.exit(exitCodes.interrupted))
  const endListening = listenForInterruptions(process, stop)
  try {
    makeFolders(layout)
    const id = newRunId(Date.now())
    const lock = takeLock(layout, `run ${id} of ${file}`, id)
    if (!lock.ok) return reportProblems(process, [inUse(layout, lock.error, asGiven(file, flags))])
    try {
      await runHere({ process, flags, file, layout, id, stop, sidecar: sidecar.value })
    } finally {
      lock.value.release()
    }
  } catch (error) {
    if (!isDiskFull(error)) throw error
    reportProblems(process, [diskFull(layout, error)])
  } finally {
    endListening()
  }
  // Here and now: while Node takes itself down, one more signal would be the end in place of the exit code.
  if (stop.requested) process.exit()
}

interface Here {
  readonly process: NodeJS.Process
  readonly flags: RunFlags
  readonly file: string
  readonly layout: StoreLayout
  readonly id: string
  readonly stop: Stop
  readonly sidecar: SidecarCommand
}

async function runHere(here: Here): Promise<void> {
  const { process, flags, file, layout, id, stop } = here
  const store = openStoreAloud(process.stderr, layout.root)
  const warnings: string[] = []
  const begun = stop.onRequest(() => {
    process.stderr.write('stopped before anything was started\n')
    process.exit(exitCodes.stopped)
  })
  try {
    const prepared = await prepare(file, kinds, store, { devices: flags.device })
    if (!prepared.ok) return reportProblems(process, prepared.error)
    const { workflow } = prepared.value
    reportProblems(process, prepared.value.warnings)
    const cannotTell = notifyProblems(workflow, process.env)
    if (cannotTell.length > 0) return reportProblems(process, cannotTell)
    const notify = notifySink(workflow, {
      command: `dag run ${asGiven(file, flags)}`,
      env: process.env,
      warn: (text) => warnings.push(text),
    })
    const pilot = workflow.pilot ?? (flags.pilot ? defaultPilot : null)
    const said = pilot
      ? await runPilot({
          process,
          prepared: prepared.value,
          store,
          pilot,
          json: flags.ui === 'json',
          run: async (slice) =>
            (await runOnce(here, store, slice, { id: newRunId(Date.now()), slice: true, begun, tell: notify.event }))?.finished ?? null,
        })
      : 'go-on'
    if (said === 'stop') {
      process.stderr.write(`stopped after the pilot; \`dag run ${asGiven(file, flags)}\` goes on from it\n`)
      process.exitCode = exitCodes.stopped
    } else if (said === 'go-on') {
      const end = await runOnce(here, store, prepared.value, { id, slice: false, begun, tell: notify.event })
      if (end?.finished.outcome === 'done' && programBuild) {
        const { tasks, cells, look } = end.finished
        const answer = {
          tasks: tasks.ran + tasks.reused,
          cells: cells.ran + cells.reused,
          look,
          report: doneReport(workflow.name, end.plan) as unknown as Json,
          prompts: promptMarks(prepared.value.sources.promptSets),
        }
        await rememberStanding(store.db, store.layout, path.resolve(file), programBuild, prepared.value.seen, answer)
      }
    }
    await notify.close()
    for (const text of warnings) process.stderr.write(`warning: ${text}\n`)
  } finally {
    begun()
    store.close()
  }
}

interface Once {
  readonly id: string
  readonly slice: boolean
  /** Called with the first event: from then on a stop is the run's own matter. */
  begun(): void
  tell(event: RunEvent): void
}

/** Runs a workflow or a slice of it, shows it, and sums it up; null when it was refused. */
async function runOnce(here: Here, store: Store, prepared: Prepared, { id, slice, begun, tell }: Once): Promise<Ended | null> {
  const { process, flags, file, stop } = here
  const workspace = workspaceOf(file)
  const sink = runSink(process, flags.ui, stop)
  try {
    const result = await runWorkflow({
      id,
      slice,
      prepared,
      store,
      workspace,
      sidecar: here.sidecar,
      cores: availableParallelism(),
      touched: touchedObjects(store.db, store.layout, path.resolve(file)),
      keepFree: flags.keepFree,
      stop,
      onEvent: (event) => {
        begun()
        sink.event(event)
        tell(event)
      },
      now: Date.now,
      planFirst: (workflow, from) => planAloudInTurns(process.stderr, workflow, from),
    })
    await sink.close()
    if (!result.ok) {
      reportProblems(process, result.error)
      return null
    }
    const { finished } = result.value
    process.exitCode = exitCode(finished.outcome)
    if (flags.ui !== 'json')
      process.stdout.write(`${summaryLines(finished, summaryContext(asGiven(file, flags), workspace, process.stdout)).join('\n')}\n`)
    return result.value
  } finally {
    await sink.close()
  }
}

function inUse({ root }: StoreLayout, { text, owner }: Held, given: string): Diagnostic {
  const watched = owner?.run ? `watch it with \`dag attach ${given}\`, ` : ''
  const ended = owner ? `, or stop it with \`kill ${owner.pid}\` (finished work is kept)` : ''
  return { severity: 'error', rule: 'locked', message: `the store ${root} is in use by ${text}`, hint: `${watched}wait for it${ended}` }
}

function diskFull({ root }: StoreLayout, error: Error): Diagnostic {
  return {
    severity: 'error',
    rule: 'disk-full',
    message: `the disk of ${root} is full: ${error.message}`,
    hint: 'free some room, then run again',
  }
}

function summaryContext(given: string, workspace: string, terminal: { readonly columns?: number }) {
  const lines = (name: string) => {
    try {
      return readFileSync(name, 'utf8')
    } catch {
      return null
    }
  }
  return {
    command: `dag run ${given}`,
    columns: terminal.columns ?? Infinity,
    read: (name: string) => lines(path.join(workspace, name)),
    tail: (log: string) => (lines(log) ?? '').trimEnd().split('\n').slice(-5),
  }
}
