import { existsSync, readFileSync } from 'node:fs'
import { kinds } from '../../steps/index.ts'
import type { Json } from '../core/json.ts'
import { fail, ok, type Result } from '../core/result.ts'
import { namedProfile, type Profile, profileFrom } from '../plan/profile.ts'
import { prepare } from '../prepare.ts'
import { planReport, planText } from '../report/plan-report.ts'
import { explaining } from '../run/explaining.ts'
import { forecastPolicies } from '../run/policies.ts'
import { memoryFor } from '../run/preflight.ts'
import { planNow } from '../run/session.ts'
import type { CliContext } from './context.ts'
import { reportProblems } from './report-problems.ts'
import { openStoreOf } from './workspace.ts'

interface PlanFlags {
  readonly store?: string
  readonly profile?: string
  readonly rawPolicies: boolean
  readonly json: boolean
}

export async function plan(this: CliContext, flags: PlanFlags, file: string): Promise<void> {
  const profile = flags.profile === undefined ? ok(null) : readProfile(flags.profile)
  if (!profile.ok) return reportProblems(this.process, [{ severity: 'error', rule: 'profile', message: profile.error }])
  const { store } = openStoreOf(file, flags.store)
  try {
    const prepared = await prepare(file, kinds, store)
    if (!prepared.ok) return reportProblems(this.process, prepared.error)
    reportProblems(this.process, prepared.value.warnings)
    const { plan: planned, expected } = planNow(prepared.value, store, profile.value)
    const cells = planned.tasks.reduce((sum, task) => sum + task.cells, 0)
    const forWhat = { prepared: prepared.value, kinds, store, profile: profile.value, asked: flags.rawPolicies }
    const report = planReport({
      workflow: prepared.value.workflow.name,
      plan: planned,
      expected,
      reasons: explaining(prepared.value, store, planned).reasons(),
      memoryOf: memoryFor(profile.value),
      policies: forecastPolicies(forWhat, { expected, cells }),
    })
    this.process.stdout.write(flags.json ? `${JSON.stringify(report)}\n` : planText(report))
  } finally {
    store.close()
  }
}

function readProfile(given: string): Result<Profile, string> {
  if (!given.endsWith('.json')) return namedProfile(given)
  if (!existsSync(given)) return fail(`the profile ${given} is not there`)
  let value: Json
  try {
    value = JSON.parse(readFileSync(given, 'utf8')) as Json
  } catch (error) {
    return fail(`the profile ${given} cannot be read as JSON: ${(error as Error).message}`)
  }
  return profileFrom(given, value)
}
