import { kinds } from '../../steps/index.ts'
import type { Profile } from '../plan/profile.ts'
import type { PlannedTask } from '../plan/plan.ts'
import { type PromptMarks, promptsOf, reworded, tellsAll } from '../plan/reworded.ts'
import { type Prepared, type PrepareOptions, prepare } from '../prepare.ts'
import { edited } from '../report/edit-report.ts'
import { type PlanReport, planReport } from '../report/plan-report.ts'
import { explaining } from '../run/explaining.ts'
import { forecastPolicies, offersPolicies } from '../run/policies.ts'
import { memoryFor } from '../run/preflight.ts'
import { snapshotOf } from '../run/record.ts'
import type { Store } from '../store/store.ts'
import type { Standing } from '../store/standing.ts'
import type { CliContext } from './common/context.ts'
import { planAloud } from './common/planning.ts'
import { reportProblems } from './common/report-problems.ts'
import { openStoreOf } from './common/workspace.ts'

/** For which machine, and whether the other ways to keep recordings are to be forecast too. */
export interface PlanOptions {
  readonly profile: Profile | null
  readonly rawPolicies: boolean
}

/**
 * The plan of a workflow file, or null when it cannot be planned, and why was told. `standing`: all was up to date,
 * and since then only these files changed.
 */
export async function planWorkflowFile(
  process: CliContext['process'],
  file: string,
  { store: folder, devices, ...options }: PlanOptions & Pick<PrepareOptions, 'devices'> & { readonly store: string | undefined },
  standing: { readonly standing: Standing; readonly changed: readonly string[] } | null,
): Promise<PlanReport | null> {
  const { store } = openStoreOf(process.stderr, file, folder)
  try {
    const prepared = await prepare(file, kinds, store, {
      devices,
      part(sources) {
        const sets = new Set(sources.promptSets.map(({ path }) => path))
        if (!standing?.changed.every((path) => sets.has(path))) return null
        return reworded(sources, standing.standing.prompts as unknown as PromptMarks)
      },
    })
    if (!prepared.ok) {
      reportProblems(process, prepared.error)
      return null
    }
    reportProblems(process, prepared.value.warnings)
    const given = { ...options, store, stderr: process.stderr }
    if (!standing || !prepared.value.isPart) return reportOf(prepared.value, given)
    const edit = reportOf(prepared.value, given, standing.standing.report as unknown as PlanReport)
    return edit ?? reportOf({ ...prepared.value, graph: prepared.value.graphOf(prepared.value.sources) }, given)
  } finally {
    store.close()
  }
}

type Given = PlanOptions & { readonly store: Store; readonly stderr: NodeJS.WriteStream }

/** `whole`: the graph is of reworded prompts alone, and this is what was up to date before; null where it does not tell all. */
function reportOf(prepared: Prepared, given: Given): PlanReport
function reportOf(prepared: Prepared, given: Given, whole: PlanReport): PlanReport | null
function reportOf(prepared: Prepared, { store, stderr, profile, rawPolicies }: Given, whole?: PlanReport): PlanReport | null {
  const prompts = whole && { prompts: promptsOf(prepared.sources.promptSets) }
  const { plan, expected } = planAloud(stderr, prepared, store, { profile, ...prompts })
  const cells = whole?.cells.total ?? plan.tasks.reduce((sum, task) => sum + task.cells, 0)
  const others = offersPolicies({ expected, cells, asked: rawPolicies })
  if (whole) {
    const { done } = snapshotOf(store)
    const isDone = ({ task, deep }: PlannedTask) => done(task, deep) !== null
    if (others || !tellsAll(plan, isDone)) return null
  }
  const report = planReport({
    workflow: prepared.workflow.name,
    plan,
    expected,
    reasons: explaining(prepared, store, plan).reasons(),
    memoryOf: memoryFor(profile),
    policies: others ? forecastPolicies({ prepared, kinds, store, profile }, expected) : [],
  })
  return whole ? edited(whole, report) : report
}
