import type { PlanProgress } from '../../plan/plan.ts'
import type { Prepared } from '../../prepare.ts'
import { formatCount, formatNumberOf } from '../../report/format.ts'
import { type Planned, type PlanningOptions, planNow } from '../../run/plan-now.ts'
import type { Store } from '../../store/store.ts'
import { progressLine } from './progress-line.ts'

/** Plans, and says how far that is where it takes long. */
export function planAloud(stream: NodeJS.WriteStream, prepared: Prepared, store: Store, options: PlanningOptions = {}): Planned {
  const progress = progressLine(stream, Date.now)
  const onProgress = ({ tasks, of, cells }: PlanProgress) =>
    progress.show(() => `planning: ${formatCount(tasks)} of ${formatNumberOf(of, 'task')}, ${formatNumberOf(cells, 'cell')} looked up`)
  try {
    return planNow(prepared, store, { ...options, onProgress })
  } finally {
    progress.end()
  }
}
