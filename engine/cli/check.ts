import { kinds } from '../../steps/index.ts'
import { prepare } from '../prepare.ts'
import type { CliContext } from './context.ts'
import { reportProblems } from './report-problems.ts'
import { openStoreOf } from './workspace.ts'

export async function check(this: CliContext, flags: { readonly store?: string }, file: string): Promise<void> {
  const { store } = openStoreOf(file, flags.store)
  try {
    const prepared = await prepare(file, kinds, store)
    if (!prepared.ok) return reportProblems(this.process, prepared.error)
    const { graph, workflow, notReady, warnings } = prepared.value
    reportProblems(this.process, [...warnings, ...notReady])
    this.process.stdout.write(
      `${file}: ${workflow.steps.length} steps, ${graph.tasks.length} tasks${notReady.length > 0 ? '; it can be planned, not run' : ', ready to run'}\n`,
    )
  } finally {
    store.close()
  }
}
