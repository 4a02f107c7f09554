import path from 'node:path'
import { gcText } from '../report/gc-text.ts'
import { collectGarbage, planGc } from '../store/gc/gc.ts'
import { pinRun, readRunRecords } from '../store/runs/run-record.ts'
import type { Store } from '../store/store.ts'
import type { CliContext } from './common/context.ts'
import { reportProblems } from './common/report-problems.ts'
import { storeHere } from './common/store-here.ts'
import { openStoreAloud } from './common/workspace.ts'

export interface GcFlags {
  readonly store?: string
  readonly json: boolean
  readonly yes: boolean
  /** Milliseconds. */
  readonly grace: number
  readonly pin?: string
  readonly unpin?: string
  readonly forget?: string
}

export async function gc(this: CliContext, flags: GcFlags): Promise<void> {
  const root = storeHere(flags.store)
  if (!root.ok) return reportProblems(this.process, root.error)
  const store = openStoreAloud(this.process.stderr, root.value)
  const refuse = (rule: string, message: string, hint: string) => reportProblems(this.process, [{ severity: 'error', rule, message, hint }])
  try {
    for (const [run, pinned] of [[flags.pin, true] as const, [flags.unpin, false] as const]) {
      if (run !== undefined && !pinRun(store.layout, run, pinned))
        return refuse('unknown-run', `the store has no record of a run "${run}"`, knownRuns(store))
    }
    const file = flags.forget === undefined ? undefined : path.relative(root.value, path.resolve(flags.forget))
    if (file !== undefined && !readRunRecords(store.layout).some((record) => record.file === file))
      return refuse('unknown-workflow', `the store has no record of a run of ${flags.forget}`, knownFiles(store))
    const options = { grace: flags.grace, forget: file === undefined ? [] : [file], now: Date.now() }
    const result = flags.yes ? collectGarbage(store, options) : { ok: true as const, value: planGc(store, options) }
    if (!result.ok) return refuse('locked', `the store ${root.value} is in use by ${result.error}`, 'wait for it, or stop it')
    const fileName = (name: string) => path.relative('.', path.resolve(root.value, name))
    this.process.stdout.write(flags.json ? `${JSON.stringify(result.value)}\n` : gcText(result.value, fileName))
  } finally {
    store.close()
  }
}

function knownRuns(store: Store): string {
  const runs = readRunRecords(store.layout).map(({ run }) => run)
  return runs.length === 0 ? 'no run is recorded yet' : `recorded: ${runs.slice(-12).join(', ')}`
}

function knownFiles(store: Store): string {
  const files = new Set(readRunRecords(store.layout).map(({ file }) => path.relative('.', path.resolve(store.layout.root, file))))
  return files.size === 0 ? 'no run is recorded yet' : `recorded: ${[...files].slice(-12).join(', ')}`
}
