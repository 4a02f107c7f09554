import type { Task } from '../core/step-kind.ts'
import { type Forecast, forecast } from '../plan/forecast.ts'
import { type Plan, type PlanOptions, plan as makePlan } from '../plan/plan.ts'
import type { Profile } from '../plan/profile.ts'
import type { Prepared } from '../prepare.ts'
import type { Store } from '../store/store.ts'
import { measuredHere, snapshotOf } from './record.ts'

export interface PlanningOptions {
  /** The machine that the forecast is for, where it is not this one. */
  readonly profile?: Profile | null
  /** As the forecast has it. */
  readonly prompts?: (task: Task) => number
  readonly onProgress?: PlanOptions['onProgress']
}

export interface Planned {
  readonly plan: Plan
  readonly expected: Forecast
}

/** The plan of a workflow over the store as it is, with its forecast. */
export function planNow(prepared: Prepared, store: Store, { profile = null, prompts, onProgress }: PlanningOptions = {}): Planned {
  const plan = makePlan(prepared.graph, snapshotOf(store), { onProgress })
  return { plan, expected: forecast(plan, measuredHere(store), profile, prompts) }
}
