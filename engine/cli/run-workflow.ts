import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import { kinds } from '../../steps/index.ts'
import type { RunEvent, RunFinished } from '../core/events.ts'
import { prepare } from '../prepare.ts'
import { jsonSink, plainSink, type Sink } from '../report/sinks.ts'
import { summaryLines } from '../report/summary.ts'
import { runWorkflow } from '../run/session.ts'
import { rememberStanding, touchedObjects } from '../store/standing.ts'
import { exitCodes } from './exit-codes.ts'
import { sidecarCommand } from './places.ts'
import { reportProblems } from './report-problems.ts'
import { createStop, type Stop } from './stop.ts'
import { programBuild, type RunFlags } from './run.ts'
import { openStoreOf } from './workspace.ts'

/** Plans and does what is not up to date. */
export async function runWorkflowFile(process: NodeJS.Process, flags: RunFlags, file: string): Promise<void> {
  const sidecar = sidecarCommand(process.env)
  if (!sidecar.ok) return reportProblems(process, [sidecar.error])
  const { store, workspace } = openStoreOf(file, flags.store)
  const stop = createStop()
  const onSignal = () => stop.request()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal)
  const sink = new LazySink(() => openSink(chooseUi(process, flags.ui), process, stop))
  try {
    const prepared = await prepare(file, kinds, store)
    if (!prepared.ok) return reportProblems(process, prepared.error)
    const result = await runWorkflow({
      prepared: prepared.value,
      store,
      workspace,
      sidecar: sidecar.value,
      cores: availableParallelism(),
      touched: touchedObjects(store.db, store.layout, path.resolve(file)),
      stop,
      onEvent: (event) => sink.event(event),
      now: Date.now,
    })
    await sink.close()
    if (!result.ok) return reportProblems(process, result.error)
    const end = result.value
    process.exitCode = exitCode(end)
    if (end.outcome === 'done' && programBuild) {
      const answer = { tasks: end.tasks.ran + end.tasks.reused, cells: end.cells.ran + end.cells.reused, look: end.look }
      rememberStanding(store.db, store.layout, path.resolve(file), programBuild, prepared.value.seen, answer)
    }
    if (flags.ui !== 'json') process.stdout.write(`${summaryLines(end, summaryContext(file, workspace)).join('\n')}\n`)
  } finally {
    await sink.close()
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, onSignal)
    store.close()
  }
}

type Ui = 'tui' | 'plain' | 'json'

function chooseUi(process: NodeJS.Process, ui: RunFlags['ui']): Ui {
  if (ui !== 'auto') return ui
  return process.stdout.isTTY && process.stdin.isTTY && !process.env.CI ? 'tui' : 'plain'
}

async function openSink(ui: Ui, process: NodeJS.Process, stop: Stop): Promise<Sink> {
  const write = (text: string) => process.stdout.write(text)
  if (ui === 'json') return jsonSink(write)
  if (ui === 'plain') return plainSink(write)
  const { startTui } = await import('../tui/index.tsx')
  return startTui({
    stdout: process.stdout,
    stdin: process.stdin,
    now: Date.now,
    onStop: () => stop.request(),
    detached: (seen) => plainSink(write, seen),
  })
}

/** Opens the sink when there is something to show: a run with nothing to do loads no TUI. */
class LazySink implements Sink {
  readonly #open: () => Promise<Sink>
  #sink: Promise<Sink> | null = null
  #waiting: RunEvent[] | null = []

  constructor(open: () => Promise<Sink>) {
    this.#open = open
  }

  event(event: RunEvent): void {
    this.#waiting?.push(event)
    if (!this.#waiting) void this.#sink?.then((sink) => sink.event(event))
    else if (
      event.type === 'run-finished' ||
      (event.type !== 'run-started' && event.type !== 'task-settled' && event.type !== 'task-finished')
    )
      this.#begin()
  }

  async close(): Promise<void> {
    const sink = await this.#sink
    this.#sink = null
    await sink?.close()
  }

  #begin(): void {
    const waiting = this.#waiting ?? []
    this.#waiting = null
    this.#sink = this.#open().then((sink) => {
      for (const event of waiting) sink.event(event)
      return sink
    })
  }
}

function exitCode({ outcome }: RunFinished): number {
  const codes = { done: exitCodes.done, failed: exitCodes.failed, stopped: exitCodes.stopped, interrupted: exitCodes.interrupted }
  return codes[outcome]
}

function summaryContext(file: string, workspace: string) {
  const lines = (name: string) => {
    try {
      return readFileSync(name, 'utf8')
    } catch {
      return null
    }
  }
  return {
    command: `dag run ${file}`,
    read: (name: string) => lines(path.join(workspace, name)),
    tail: (log: string) => (lines(log) ?? '').trimEnd().split('\n').slice(-5),
  }
}
