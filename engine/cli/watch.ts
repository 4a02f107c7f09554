import { kinds } from '../../steps/index.ts'
import { prepare } from '../prepare.ts'
import { planReport, planText } from '../report/plan-report.ts'
import { explaining } from '../run/explaining.ts'
import { memoryFor } from '../run/preflight.ts'
import { watchPaths } from '../watch/watch.ts'
import type { CliContext } from './common/context.ts'
import { onOutputGone } from './common/output.ts'
import { planAloud } from './common/planning.ts'
import { reportProblems } from './common/report-problems.ts'
import { openStoreOf } from './common/workspace.ts'

/** Prints the plan anew whenever the workflow or anything that it points at changes; starts nothing. Ends with ctrl-c. */
export async function watch(this: CliContext, flags: { readonly store?: string }, file: string): Promise<void> {
  const { process } = this
  const { store } = openStoreOf(process.stderr, file, flags.store)
  const show = async (): Promise<void> => {
    const prepared = await prepare(file, kinds, store, { looked: (seen) => watcher.follow(seen) })
    process.exitCode = 0
    if (!prepared.ok) return reportProblems(process, prepared.error)
    const { plan, expected } = planAloud(process.stderr, prepared.value, store)
    const reasons = explaining(prepared.value, store, plan).reasons()
    const report = planReport({ workflow: prepared.value.workflow.name, plan, expected, reasons, memoryOf: memoryFor(null) })
    process.stdout.write(`${planText(report)}\n`)
  }
  const watcher = watchPaths(show)
  await show()
  await new Promise<void>((resolve) => {
    process.once('SIGINT', resolve)
    onOutputGone(() => resolve())
  })
  await watcher.close()
  store.close()
}
