import { readFileSync, realpathSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { type Diagnostic, formatDiagnostic, type SourceRange } from '../core/diagnostic.ts'
import type { Floating } from '../fetch.ts'
import { withCommits } from '../pin.ts'
import { type FetchProblem, runPin } from '../run/fetch.ts'
import type { CliContext } from './common/context.ts'
import { exitCodes } from './common/exit-codes.ts'
import { programRoot, pythonModule } from './common/places.ts'
import { reportProblems } from './common/report-problems.ts'

/** Writes the commits that branches and tags name now into the files that name them, and says whether; none where one cannot be told. */
export async function pinRevisions(process: CliContext['process'], floating: readonly Floating[]): Promise<boolean> {
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

/** What a hub did not give, each at its place. */
export function tellProblems(
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
