import type { RunView, WorkView } from './view.ts'
import { taskOf } from './view.ts'

export interface TimeLeft {
  readonly seconds: number
  /** Some of the work was not measured yet and is not in the figure. */
  readonly atLeast: boolean
}

/** Below this share of measured work a figure would only repeat the forecast. */
const smallestShare = 0.25

/**
 * Time left by the speed of this run: what is left of each kind of work times the seconds a cell of it took. Those that have
 * not begun get their forecast, as much quicker or slower as those that have were beside theirs. Null while too little was
 * measured. Several sidecars share it.
 */
export function timeLeft(view: RunView): TimeLeft | null {
  const forecasts = view.started?.expected.secondsOfWork
  const works = view.work.map((work) => ({ ...work, forecast: forecasts?.[work.name] ?? null }))
  const measured = works.filter(({ made, seconds }) => made > 0 && seconds > 0)
  const toCome = works.filter(({ made, left }) => left > 0 && made === 0)
  const whole = summed(measured, (work) => (work.left + work.made) * secondsPerCell(work))
  const left = summed(measured, (work) => work.left * secondsPerCell(work)) - inBatches(view)
  const foreseen = summed(measured, ({ forecast }) => forecast ?? 0)
  const rest = summed(toCome, ({ forecast }) => forecast ?? 0) * (foreseen > 0 ? whole / foreseen : 1)
  if (whole <= 0 || whole < (whole + rest) * smallestShare) return null
  const seconds = (Math.max(0, left) + rest + switches(view)) / (view.started?.workers?.length ?? 1)
  return { seconds, atLeast: toCome.some(({ forecast }) => forecast === null) }
}

function summed<T>(list: readonly T[], of: (one: T) => number): number {
  return list.reduce((total, one) => total + of(one), 0)
}

function secondsPerCell({ made, seconds }: WorkView): number {
  return seconds / made
}

/** Seconds of work that batches have done and not committed yet. */
function inBatches(view: RunView): number {
  return view.activities.reduce((sum, { task: id, batches, done, total }) => {
    const task = taskOf(view, id)
    const place = view.places.get(id)
    const work = place && view.work[place.work]
    if (!task || !work || !batches || total === 0 || work.made === 0) return sum
    return sum + (done / total) * (task.toRun / batches) * secondsPerCell(work)
  }, 0)
}

function switches({ started, adapterSwitches, switchSeconds }: RunView): number {
  if (!started || adapterSwitches === 0) return 0
  return Math.max(0, started.expected.adapterSwitches - adapterSwitches) * (switchSeconds / adapterSwitches)
}
