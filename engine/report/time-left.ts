import type { RunView, StageWork } from './view.ts'
import { taskOf } from './view.ts'

export interface TimeLeft {
  readonly seconds: number
  /** Some of the work was not measured yet and is not in the figure. */
  readonly atLeast: boolean
}

/** Below this share of measured work a figure would only repeat the forecast. */
const smallestShare = 0.25

/**
 * Time left by the speed of this run: what is left of each stage times the seconds a cell of it took. Stages that have
 * not begun get what the forecast leaves for them. Null while too little was measured.
 */
export function timeLeft(view: RunView): TimeLeft | null {
  const measured = view.work.filter(({ made, seconds }) => made > 0 && seconds > 0)
  const unmeasured = view.work.some(({ made, left }) => left > 0 && made === 0)
  const whole = measured.reduce((sum, work) => sum + (work.left + work.made) * secondsPerCell(work), 0)
  const left = measured.reduce((sum, work) => sum + work.left * secondsPerCell(work), 0) - inBatches(view)
  const forecast = view.started?.expected.seconds ?? null
  const rest = unmeasured && forecast !== null ? Math.max(0, forecast - whole) : 0
  if (whole <= 0 || whole < (whole + rest) * smallestShare) return null
  return { seconds: Math.max(0, left) + rest + switches(view), atLeast: unmeasured && rest === 0 }
}

function secondsPerCell({ made, seconds }: StageWork): number {
  return seconds / made
}

/** Seconds of work that batches have done and not committed yet. */
function inBatches(view: RunView): number {
  return view.activities.reduce((sum, { task: id, batches, done, total }) => {
    const task = taskOf(view, id)
    const place = view.places.get(id)
    const work = place && view.work[place.stage]
    if (!task || !work || !batches || total === 0 || work.made === 0) return sum
    return sum + (done / total) * (task.toRun / batches) * secondsPerCell(work)
  }, 0)
}

function switches({ started, adapterSwitches, switchSeconds }: RunView): number {
  if (!started || adapterSwitches === 0) return 0
  return Math.max(0, started.expected.adapterSwitches - adapterSwitches) * (switchSeconds / adapterSwitches)
}
