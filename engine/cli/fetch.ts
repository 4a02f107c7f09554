import { existsSync, readFileSync, realpathSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { kinds } from '../../steps/index.ts'
import { type Diagnostic, formatDiagnostic, type SourceRange } from '../core/diagnostic.ts'
import { type Floating, unpinned, type Wanted, type Wants, wantsOf } from '../fetch.ts'
import { withCommits } from '../pin.ts'
import { type FetchProblem, runFetch, runPin } from '../run/fetch.ts'
import type { CliContext } from './common/context.ts'
import { exitCodes } from './common/exit-codes.ts'
import { programRoot, pythonModule, storeFolder } from './common/places.ts'
import { reportProblems } from './common/report-problems.ts'

export interface FetchFlags {
  readonly store?: string
  readonly keepFree: number
  readonly pin: boolean
}

/** Fetches what a workflow names on a hub and this machine lacks. Nothing else in the engine uses the network. */
export async function fetch(this: CliContext, flags: FetchFlags, file: string): Promise<void> {
  const { process } = this
  const wanted = () => wantsOf(file, kinds, storeFolder(file, flags.store))
  let wants = wanted()
  if (wants.ok && flags.pin && wants.value.floating.length > 0) {
    if (!(await pin(process, wants.value.floating))) return
    wants = wanted()
  }
  if (!wants.ok) return reportProblems(process, wants.error)
  if (wants.value.floating.length > 0) return reportProblems(process, unpinned(wants.value.floating))
  const { missing, present } = wants.value
  if (missing.length === 0) {
    const what = present > 0 ? `all ${present} models and adapters on a hub that ${file} names are here` : `${file} names nothing on a hub`
    process.stdout.write(`nothing to fetch: ${what}\n`)
    return
  }
  await fetchAll(process, missing, flags.keepFree, file)
}

/** Writes the commits that branches and tags name now into the files that name them; none where one cannot be told. */
async function pin(process: CliContext['process'], floating: readonly Floating[]): Promise<boolean> {
  const { commits, problems } = await runPin(pythonModule(process.env, 'sidecar.sources.fetch'), programRoot(), floating)
  if (problems.length > 0) {
    tellProblems(process, problems, floating)
    process.stderr.write('nothing was pinned\n')
    process.exitCode = exitCodes.failed
    return false
  }
  const pins = floating.map(({ range, revision }, index) => ({ range, replaces: revision !== null, commit: commits[index] as string }))
  const edits = [...Map.groupBy(pins, ({ range }) => range.file)].map(([file, own]) => {
    return { file, count: own.length, text: withCommits(readFileSync(file, 'utf8'), own) }
  })
  const unclear = edits.find(({ text }) => text === null)
  if (unclear) {
    reportProblems(process, [unwritten(unclear.file)])
    return false
  }
  for (const { file, count, text } of edits) {
    rewrite(realpathSync(file), text as string)
    process.stdout.write(`pinned ${count} in ${file}\n`)
  }
  return true
}

function unwritten(file: string): Diagnostic {
  const hint = 'write each repository and its revision on one line, as `{ adapter: "hf:OWNER/NAME", revision: main }`'
  return { severity: 'error', rule: 'pin', message: `${file} is written in a way in which revisions cannot be put in`, hint }
}

/** Puts a text into the place of a file at once: a kill leaves the one or the other. */
function rewrite(file: string, text: string): void {
  const beside = `${file}.${process.pid}.pinned`
  writeFileSync(beside, text, { mode: statSync(file).mode, flag: 'wx' })
  renameSync(beside, file)
}

async function fetchAll(process: CliContext['process'], missing: Wants['missing'], keepFree: number, file: string): Promise<void> {
  // The program that fetches is told as well, and says what it kept.
  process.once('SIGINT', () => {})
  const problems = await runFetch(pythonModule(process.env, 'sidecar.sources.fetch'), programRoot(), {
    keep_free: keepFree,
    wanted: missing.map(({ kind, repository, revision, folder }: Wanted) => ({ kind, repository, revision, out: folder })),
  })
  if (problems.length > 0) {
    tellProblems(process, problems, missing)
    const fetched = missing.filter(({ folder }) => existsSync(folder)).length
    process.stderr.write(`fetched ${fetched} of ${missing.length}; what arrived is kept\n`)
    process.exitCode = exitCodes.failed
    return
  }
  process.stdout.write(`fetched ${missing.length} of ${missing.length}; go on with: dag check ${file}\n`)
}

function tellProblems(
  process: CliContext['process'],
  problems: readonly FetchProblem[],
  wanted: readonly { readonly range: SourceRange }[],
): void {
  for (const { wanted: index, message, hint } of problems) {
    const range = index === null ? undefined : wanted[index]?.range
    const diagnostic: Diagnostic = { severity: 'error', rule: 'fetch', message, hint, ...(range ? { range } : {}) }
    process.stderr.write(`${formatDiagnostic(diagnostic)}\n\n`)
  }
}
