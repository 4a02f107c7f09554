import type { Task } from '../core/step-kind.ts'
import { type Forecast, forecast } from '../plan/forecast.ts'
import { type Plan, type PlanOptions, plan as makePlan, planning } from '../plan/plan.ts'
import type { Profile } from '../plan/profile.ts'
import type { Prepared } from '../prepare.ts'
import type { Store } from '../store/store.ts'
import { turns } from '../store/turns.ts'
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
export function planNow({ graph }: Prepared, store: Store, options: PlanningOptions = {}): Planned {
  return forecastOf(makePlan(graph, snapshotOf(store), { onProgress: options.onProgress }), store, options)
}

/** The same, letting everything else have its turn now and then: a signal is heard while many cells are looked up. */
export async function planInTurns({ graph }: Prepared, store: Store, options: PlanningOptions = {}): Promise<Planned> {
  const turn = turns()
  const steps = planning(graph, snapshotOf(store), { onProgress: options.onProgress })
  for (;;) {
    const step = steps.next()
    if (step.done) return forecastOf(step.value, store, options)
    await turn()
  }
}

function forecastOf(plan: Plan, store: Store, { profile = null, prompts }: PlanningOptions): Planned {
  return { plan, expected: forecast(plan, measuredHere(store), profile, prompts) }
}
