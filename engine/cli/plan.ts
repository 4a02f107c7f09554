import { existsSync, readFileSync } from 'node:fs'
import type { Json } from '../core/json.ts'
import { fail, ok, type Result } from '../core/result.ts'
import { namedProfile, type Profile, profileFrom } from '../plan/profile.ts'
import { type PlanReport, planText } from '../report/plan-report.ts'
import type { CliContext } from './common/context.ts'
import { reportProblems } from './common/report-problems.ts'
import { standingOf } from './common/standing.ts'

interface PlanFlags {
  readonly store?: string
  readonly profile?: string
  readonly rawPolicies: boolean
  readonly device?: readonly string[]
  readonly json: boolean
}

/** Files that may change for the plan to be that of the change alone. */
const fewFiles = 8

/** Says what would run. Nothing but what has changed since the last run is planned, where that is known to tell all. */
export async function plan(this: CliContext, flags: PlanFlags, file: string): Promise<void> {
  const profile = flags.profile === undefined ? ok(null) : readProfile(flags.profile)
  if (!profile.ok) return reportProblems(this.process, [{ severity: 'error', rule: 'profile', message: profile.error }])
  const standing = standingOf(file, flags.store, fewFiles)
  let report: PlanReport | null
  if (standing?.changed.length === 0) report = standing.standing.report as unknown as PlanReport
  else {
    const { planWorkflowFile } = await import('./plan-workflow.ts')
    report = await planWorkflowFile(
      this.process,
      file,
      { ...flags, store: flags.store, devices: flags.device, profile: profile.value },
      standing,
    )
  }
  if (report) this.process.stdout.write(flags.json ? `${JSON.stringify(report)}\n` : planText(report))
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
