import { availableParallelism } from 'node:os'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { kinds } from '../../steps/index.ts'
import type { RunEvent, RunFinished } from '../core/events.ts'
import { prepare } from '../prepare.ts'
import { runWorkflow } from '../run/session.ts'
import type { StopSignal } from '../run/run.ts'
import type { CliContext } from './context.ts'
import { exitCodes } from './exit-codes.ts'
import { reportProblems } from './report-problems.ts'
import { openStoreOf, sidecarCommand } from './workspace.ts'

export interface RunFlags {
  readonly store?: string
  readonly ui: 'auto' | 'tui' | 'plain' | 'json'
}

export async function run(this: CliContext, flags: RunFlags, file: string): Promise<void> {
  const { process } = this
  const { store, workspace } = openStoreOf(file, flags.store)
  try {
    const prepared = await prepare(file, kinds, store)
    if (!prepared.ok) return reportProblems(process, prepared.error)
    const stop = stopSignal()
    const onInterrupt = () => stop.request(stop.requested === null ? 'drain' : 'now')
    process.on('SIGINT', onInterrupt)
    process.on('SIGTERM', onInterrupt)
    const show = (event: RunEvent) => process.stdout.write(`${JSON.stringify(event)}\n`)
    const result = await runWorkflow({
      prepared: prepared.value,
      store,
      workspace,
      sidecar: sidecarCommand(process.env),
      cores: availableParallelism(),
      stop,
      onEvent: show,
      now: Date.now,
    })
    if (!result.ok) return reportProblems(process, result.error)
    process.exitCode = exitCode(result.value)
  } finally {
    store.close()
  }
}

function exitCode({ outcome }: RunFinished): number {
  const codes = { done: exitCodes.done, failed: exitCodes.failed, stopped: exitCodes.stopped, interrupted: exitCodes.interrupted }
  return codes[outcome]
}

interface Stop extends StopSignal {
  request(how: 'drain' | 'now'): void
}

/** One stop lets what runs finish, the next one ends it. */
function stopSignal(): Stop {
  const listeners: ((how: 'drain' | 'now') => void)[] = []
  let requested: 'drain' | 'now' | null = null
  return {
    get requested() {
      return requested
    },
    onRequest: (listener) => listeners.push(listener),
    request(how) {
      requested = how
      for (const listener of listeners) listener(how)
    },
  }
}

export const readText = (workspace: string, file: string): string => readFileSync(path.join(workspace, file), 'utf8')
