import { existsSync } from 'node:fs'
import { kinds } from '../../steps/index.ts'
import { type Diagnostic, formatDiagnostic } from '../core/diagnostic.ts'
import { type Wants, wantsOf } from '../fetch.ts'
import { type FetchProblem, runFetch } from '../run/fetch.ts'
import type { CliContext } from './common/context.ts'
import { exitCodes } from './common/exit-codes.ts'
import { programRoot, pythonModule, storeFolder } from './common/places.ts'
import { reportProblems } from './common/report-problems.ts'

export interface FetchFlags {
  readonly store?: string
  readonly keepFree: number
}

/** Fetches what a workflow names on a hub and this machine lacks. Nothing else in the engine uses the network. */
export async function fetch(this: CliContext, flags: FetchFlags, file: string): Promise<void> {
  const { process } = this
  const wants = wantsOf(file, kinds, storeFolder(file, flags.store))
  if (!wants.ok) return reportProblems(process, wants.error)
  const { missing, present } = wants.value
  if (missing.length === 0) {
    const what = present > 0 ? `all ${present} models and adapters on a hub that ${file} names are here` : `${file} names nothing on a hub`
    process.stdout.write(`nothing to fetch: ${what}\n`)
    return
  }
  // The program that fetches is told as well, and says what it kept.
  process.once('SIGINT', () => {})
  const problems = await runFetch(pythonModule(process.env, 'sidecar.sources.fetch'), programRoot(), {
    keep_free: flags.keepFree,
    wanted: missing.map(({ kind, repository, revision, folder }) => ({ kind, repository, revision, out: folder })),
  })
  if (problems.length > 0) {
    for (const diagnostic of diagnosticsOf(problems, missing)) process.stderr.write(`${formatDiagnostic(diagnostic)}\n\n`)
    const fetched = missing.filter(({ folder }) => existsSync(folder)).length
    process.stderr.write(`fetched ${fetched} of ${missing.length}; what arrived is kept\n`)
    process.exitCode = exitCodes.failed
    return
  }
  process.stdout.write(`fetched ${missing.length} of ${missing.length}; go on with: dag check ${file}\n`)
}

function diagnosticsOf(problems: readonly FetchProblem[], missing: Wants['missing']): Diagnostic[] {
  return problems.map(({ wanted, message, hint }) => {
    const range = wanted === null ? undefined : missing[wanted]?.range
    return { severity: 'error', rule: 'fetch', message, hint, ...(range ? { range } : {}) }
  })
}
