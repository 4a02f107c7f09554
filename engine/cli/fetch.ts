import { existsSync } from 'node:fs'
import { kinds } from '../../steps/index.ts'
import { unpinned, type Wanted, type Wants, wantsOf } from '../fetch.ts'
import { runFetch } from '../run/fetch.ts'
import type { CliContext } from './common/context.ts'
import { exitCodes } from './common/exit-codes.ts'
import { programRoot, pythonModule, storeFolder } from './common/places.ts'
import { reportProblems } from './common/report-problems.ts'
import { pinRevisions, tellProblems } from './pin.ts'

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
    if (!(await pinRevisions(process, wants.value.floating))) return
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
