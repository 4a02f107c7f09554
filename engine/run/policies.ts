import type { StepKind } from '../core/step-kind.ts'
import type { Forecast } from '../plan/forecast.ts'
import { storagePolicies } from '../plan/policies.ts'
import type { Profile } from '../plan/profile.ts'
import type { Prepared } from '../prepare.ts'
import type { Store } from '../store/store.ts'
import { planNow } from './plan-now.ts'

/** What the workflow would take with another way to keep what is computed. */
export interface PolicyForecast {
  readonly name: string
  readonly asWritten: boolean
  readonly expected: Forecast
}

/** Below this it does not matter how much is kept; above so many cells each further plan is worth asking for. */
const fewBytes = 1e9
const manyCells = 500_000

/** Whether other ways are worth a forecast: of fewer bytes, and of more cells, only where that was `asked` for. */
export function offersPolicies({ expected, cells, asked }: { expected: Forecast; cells: number; asked: boolean }): boolean {
  return asked || (expected.bytes >= fewBytes && cells <= manyCells)
}

/** Plans the workflow anew with each policy. None where the workflow has no such choice. */
export function forecastPolicies(
  { prepared, kinds, store, profile }: { prepared: Prepared; kinds: readonly StepKind[]; store: Store; profile: Profile | null },
  expected: Forecast,
): PolicyForecast[] {
  return storagePolicies(prepared.workflow.steps, kinds).flatMap(({ name, steps, asWritten }): PolicyForecast[] => {
    if (asWritten) return [{ name, asWritten, expected }]
    const graph = prepared.graphOf(prepared.sources, steps)
    return graph.tasks.length === 0 ? [] : [{ name, asWritten, expected: planNow({ ...prepared, graph }, store, { profile }).expected }]
  })
}
