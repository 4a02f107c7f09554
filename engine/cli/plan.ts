import { kinds } from '../../steps/index.ts'
import { prepare } from '../prepare.ts'
import { planReport, planText } from '../report/plan-report.ts'
import { explaining } from '../run/explaining.ts'
import { planNow } from '../run/session.ts'
import type { CliContext } from './context.ts'
import { reportProblems } from './report-problems.ts'
import { openStoreOf } from './workspace.ts'

export async function plan(this: CliContext, flags: { readonly store?: string; readonly json: boolean }, file: string): Promise<void> {
  const { store } = openStoreOf(file, flags.store)
  try {
    const prepared = await prepare(file, kinds, store)
    if (!prepared.ok) return reportProblems(this.process, prepared.error)
    const { plan: planned, expected } = planNow(prepared.value, store)
    const report = planReport(prepared.value.workflow.name, planned, expected, explaining(prepared.value, store, planned).reasons())
    this.process.stdout.write(flags.json ? `${JSON.stringify(report)}\n` : planText(report))
  } finally {
    store.close()
  }
}
