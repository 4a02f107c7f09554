import type { Cost, Task } from '../core/step-kind.ts'
import { laneCapacity, scheduledTask } from '../schedule/lanes.ts'
import { type Command, createScheduler, type SchedulerEvent } from '../schedule/scheduler.ts'
import { batchCost, type Plan, type PlannedTask } from './plan.ts'
import type { Batch } from './settle.ts'
import { type MeasuredRates, type Profile, profileOfDevice } from './profile.ts'

export interface Forecast {
  /** Where nothing was measured: if every answer is as long as allowed. */
  readonly seconds: number
  /** If answers are half as long as allowed; null where what was measured says how long they are. */
  readonly secondsAtHalf: number | null
  /** Of the batches of a stage, with the loads and switches they begin with; stages run side by side. */
  readonly secondsOfStage: ReadonlyMap<string, number>
  readonly bytes: number
  readonly modelLoads: number
  readonly adapterSwitches: number
  /** What the figures rest on. */
  readonly basis: string
}

/**
 * Plays the plan through the scheduler on a virtual clock. The counts are those of the run; the seconds are an estimate:
 * from `profile` alone where one is given, else from what was `measured`, and from the profile of the device where
 * nothing was.
 */
export function forecast(plan: Plan, measured: MeasuredRates, profile: Profile | null = null): Forecast {
  const { guessedTokens, ...whole } = play(plan, measured, profile, 1)
  return { ...whole, secondsAtHalf: guessedTokens > 0 ? play(plan, measured, profile, 0.5).seconds : null }
}

/** `share`: how long answers are, of what is allowed. `guessedTokens`: tokens to decode whose time no measurement tells. */
function play(
  plan: Plan,
  measured: MeasuredRates,
  profile: Profile | null,
  share: number,
): Omit<Forecast, 'secondsAtHalf'> & { readonly guessedTokens: number } {
  const scheduler = createScheduler(
    plan.tasks.map(({ task }) => scheduledTask(task)),
    laneCapacity(2),
  )
  const todo: SchedulerEvent[] = [{ type: 'start' }]
  const running: { until: number; event: SchedulerEvent }[] = []
  let clock = 0
  let bytes = 0
  let guessedTokens = 0
  let modelLoads = 0
  let adapterSwitches = 0
  let started = false
  let anyMeasured = false
  const used = new Set<string>()
  const secondsOfStage = new Map<string, number>()

  const carryOut = (command: Command): void => {
    if (command.type === 'settle') {
      todo.push({ type: 'settled', task: command.task, batches: planned(plan, command.task).batches.length })
    } else if (command.type === 'dispatch') {
      const { task, batches } = planned(plan, command.task)
      const batch = batches[command.batch] as Batch
      const cost = batchCost(plan, batch)
      const cells = batch.cells.length
      const machine = profile ?? profileOfDevice(task.state?.base.device ?? 'cpu')
      let seconds = profile ? null : measuredSeconds(task, cost, cells, measured)
      if (seconds === null) {
        seconds = estimatedSeconds(task, { ...cost, decodeTokens: share * cost.decodeTokens }, cells, machine)
        guessedTokens += cost.decodeTokens
        used.add(machine.name)
      } else anyMeasured = true
      if (task.operation.runs.on === 'sidecar' && !started) seconds += machine.startSeconds
      started ||= task.operation.runs.on === 'sidecar'
      if (command.transition?.loadsBase) seconds += machine.loadSeconds
      if (command.transition?.switchesAdapter) seconds += machine.switchSeconds
      secondsOfStage.set(task.stage, (secondsOfStage.get(task.stage) ?? 0) + seconds)
      modelLoads += Number(command.transition?.loadsBase ?? false)
      adapterSwitches += Number(command.transition?.switchesAdapter ?? false)
      bytes += cost.bytes
      running.push({ until: clock + seconds, event: { type: 'batch-done', task: command.task } })
    }
  }
  for (;;) {
    const event = todo.shift() ?? earliest(running)
    if (!event) break
    const due = 'until' in event ? event : { until: clock, event }
    clock = due.until
    for (const command of scheduler.next(due.event)) carryOut(command)
  }
  const sources = [...(anyMeasured ? ["this machine's own runs"] : []), ...[...used].map((name) => `profile ${name}`)]
  return { guessedTokens, seconds: clock, secondsOfStage, bytes, modelLoads, adapterSwitches, basis: sources.join(', ') || 'nothing to do' }
}

/** Work of a batch in units that seconds are proportional to: FLOPs where a model runs, else cells. */
export function workOf(task: Task, cost: Cost, cells: number): number {
  const parameters = task.state?.base.facts.parameters
  return parameters ? 2 * parameters * (cost.decodeTokens + cost.prefillTokens * cost.depth) : cells
}

function planned(plan: Plan, id: string): PlannedTask {
  return plan.byId.get(id) as PlannedTask
}

function earliest(running: { until: number; event: SchedulerEvent }[]): { until: number; event: SchedulerEvent } | undefined {
  let first = 0
  for (const [index, entry] of running.entries()) if (entry.until < (running[first] as { until: number }).until) first = index
  return running.splice(first, 1)[0]
}

function measuredSeconds(task: Task, cost: Cost, cells: number, measured: MeasuredRates): number | null {
  const rate = measured(rateProfile(task), task.operation.name)
  return rate === null ? null : rate * workOf(task, cost, cells)
}

function estimatedSeconds(task: Task, cost: Cost, cells: number, profile: Profile): number {
  const parameters = task.state?.base.facts.parameters
  if (!parameters) return cells / profile.cellsPerSecond
  const decode = (2 * parameters * cost.decodeTokens) / profile.decodeFlops
  return decode + (2 * parameters * cost.prefillTokens * cost.depth) / profile.prefillFlops
}

/** Under which name this machine's measurements of a task are kept. */
export function rateProfile(task: Task): string {
  const base = task.state?.base
  return base ? `${base.origin} ${base.dtype} ${base.quantization ?? 'unquantized'} ${base.device}` : 'no model'
}
