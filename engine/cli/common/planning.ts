import type { PlanProgress } from '../../plan/plan.ts'
import type { Prepared } from '../../prepare.ts'
import { formatCount, formatNumberOf } from '../../core/format.ts'
import { type Planned, type PlanningOptions, planInTurns, planNow } from '../../run/plan-now.ts'
import type { Store } from '../../store/store.ts'
import { progressLine } from './progress-line.ts'

/** Plans, and says how far that is where it takes long. */
export function planAloud(stream: NodeJS.WriteStream, prepared: Prepared, store: Store, options: PlanningOptions = {}): Planned {
  const told = planningLine(stream)
  try {
    return planNow(prepared, store, { ...options, onProgress: told.onProgress })
  } finally {
    told.end()
  }
}

/** The same for those who listen meanwhile, such as for a signal. */
export async function planAloudInTurns(stream: NodeJS.WriteStream, prepared: Prepared, store: Store): Promise<Planned> {
  const told = planningLine(stream)
  try {
    return await planInTurns(prepared, store, { onProgress: told.onProgress })
  } finally {
    told.end()
  }
}

function planningLine(stream: NodeJS.WriteStream): { onProgress(soFar: PlanProgress): void; end(): void } {
  const progress = progressLine(stream, Date.now)
  return {
    onProgress: ({ tasks, of, cells }) =>
      progress.show(() => `planning: ${formatCount(tasks)} of ${formatNumberOf(of, 'task')}, ${formatNumberOf(cells, 'cell')} looked up`),
    end: () => progress.end(),
  }
}
