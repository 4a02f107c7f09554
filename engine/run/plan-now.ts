import type { Task } from '../core/step-kind.ts'
import { type Forecast, forecast } from '../plan/forecast.ts'
import { type Plan, plan as makePlan } from '../plan/plan.ts'
import type { Profile } from '../plan/profile.ts'
import type { Prepared } from '../prepare.ts'
import type { Store } from '../store/store.ts'
import { measuredHere, snapshotOf } from './record.ts'

/** `profile`: the machine that the forecast is for, where it is not this one. `times` as the forecast has it. */
export function planNow(
  prepared: Prepared,
  store: Store,
  profile: Profile | null = null,
  times?: (task: Task) => number,
): { plan: Plan; expected: Forecast } {
  const plan = makePlan(prepared.graph, snapshotOf(store))
  return { plan, expected: forecast(plan, measuredHere(store), profile, times) }
}
