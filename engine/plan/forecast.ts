import type { Cost, Task } from '../core/step-kind.ts'
import { workersOf } from '../schedule/lanes.ts'
import { criticalPath, type PathPart } from './critical-path.ts'
import { type DiskOverTime, diskOverTime } from './disk.ts'
import { type ModelMemory, peakMemory } from './memory.ts'
import type { Plan } from './plan.ts'
import { type Measured, measuredModel, type Profile, thisMachine } from './profile.ts'
import { type CostedBatch, type CostedBatches, costedBatches, type PlayedBatch, virtualRun } from './virtual-run.ts'

export interface Forecast {
  /** Where nothing was measured: if every answer is as long as allowed. */
  readonly seconds: number
  /** If answers are half as long as allowed; null where what was measured says how long they are. */
  readonly secondsAtHalf: number | null
  /** Of the batches of a stage, with the loads and switches they begin with; stages run side by side. */
  readonly secondsOfStage: ReadonlyMap<string, number>
  /** The same by what `workName` says. */
  readonly secondsOfWork: ReadonlyMap<string, number>
  readonly criticalPath: readonly PathPart[]
  readonly bytes: number
  /** By what people count. */
  readonly bytesOf: ReadonlyMap<string, number>
  readonly disk: DiskOverTime
  readonly memory: readonly ModelMemory[]
  /** Where models are loaded; of several on one, the second is `cpu 2`. */
  readonly devices: readonly string[]
  readonly modelLoads: number
  readonly adapterSwitches: number
  /** What the figures rest on. */
  readonly basis: string
}

/**
 * Plays the plan through the scheduler on a virtual clock. The counts are those of the run; the seconds are an estimate:
 * from `profile` alone where one is given, else from what was `measured`, and from the profile of the device where
 * nothing was. `prompts` as `costedBatches` has it.
 */
export function forecast(plan: Plan, measured: Measured, profile: Profile | null = null, prompts?: (task: Task) => number): Forecast {
  const batches = costedBatches(plan, prompts)
  const { played, guessedTokens, basis } = play(plan, batches, measured, profile, 1)
  const half = guessedTokens > 0 ? play(plan, batches, measured, profile, 0.5).played : null
  const count = (of: (batch: PlayedBatch) => boolean | undefined) => played.filter(of).length
  const loads = new Set(played.flatMap(({ transition, worker }) => (transition?.loadsBase ? [worker] : [])))
  const bytesOf = summed(
    played,
    ({ task }) => task.operation.counts.noun,
    ({ cost }) => cost.bytes,
  )
  return {
    seconds: endOf(played),
    secondsAtHalf: half && endOf(half),
    secondsOfStage: summed(played, ({ task }) => task.stage, secondsOf),
    secondsOfWork: summed(played, ({ task }) => workName(task), secondsOf),
    criticalPath: criticalPath(played),
    bytes: [...bytesOf.values()].reduce((sum, bytes) => sum + bytes, 0),
    bytesOf,
    disk: diskOverTime(played, plan.graph),
    memory: peakMemory(played),
    devices: workersOf(plan.tasks.map(({ task }) => task)).flatMap(({ name }, index) => (loads.has(index) ? [name] : [])),
    modelLoads: count(({ transition }) => transition?.loadsBase),
    adapterSwitches: count(({ transition }) => transition?.switchesAdapter),
    basis,
  }
}

/** `share`: how long answers are, of what is allowed. `guessedTokens`: tokens to decode whose time no measurement tells. */
function play(plan: Plan, batches: CostedBatches, measured: Measured, profile: Profile | null, share: number) {
  let guessedTokens = 0
  const started = new Set<number>()
  let anyMeasured = false
  const used = new Set<string>()
  const machines = new Map<string, Profile>()
  const machineOf = (task: Task): Profile => {
    if (profile) return profile
    const name = rateProfile(task)
    const machine = machines.get(name) ?? thisMachine(task.state?.base, measured)
    machines.set(name, machine)
    return machine
  }
  const played = virtualRun(plan, batches, ({ task, cost, cells }: CostedBatch, { transition, worker }) => {
    const machine = machineOf(task)
    let seconds = profile ? null : measuredSeconds(task, cost, cells, measured)
    if (seconds === null) {
      seconds = estimatedSeconds(task, { ...cost, decodeTokens: share * cost.decodeTokens }, cells, machine)
      guessedTokens += cost.decodeTokens
      used.add(machine.name)
    } else anyMeasured = true
    if (task.operation.runs.on === 'sidecar') {
      if (!started.has(worker)) seconds += machine.startSeconds
      started.add(worker)
    }
    if (transition?.loadsBase) seconds += machine.loadSeconds
    if (transition?.switchesAdapter) seconds += machine.switchSeconds
    return seconds
  })
  const sources = [...(anyMeasured ? ["this machine's own runs"] : []), ...used]
  return { played, guessedTokens, basis: sources.join(', ') || 'nothing to do' }
}

/** Tasks of one stage whose cells take as long: a stage may have several operations. */
export function workName({ stage, operation }: Task): string {
  return `${stage} ${operation.name}`
}

function secondsOf({ from, until }: PlayedBatch): number {
  return until - from
}

function endOf(played: readonly PlayedBatch[]): number {
  return played.reduce((latest, { until }) => Math.max(latest, until), 0)
}

function summed(
  played: readonly PlayedBatch[],
  nameOf: (batch: PlayedBatch) => string,
  amountOf: (batch: PlayedBatch) => number,
): ReadonlyMap<string, number> {
  const sums = new Map<string, number>()
  for (const batch of played) sums.set(nameOf(batch), (sums.get(nameOf(batch)) ?? 0) + amountOf(batch))
  return sums
}

/** Work of a batch in units that seconds are proportional to: FLOPs where a model runs, else cells. */
export function workOf(task: Task, cost: Cost, cells: number): number {
  const parameters = task.state?.base.facts.activeParameters
  return parameters ? 2 * parameters * (cost.decodeTokens + cost.prefillTokens * cost.depth) : cells
}

function measuredSeconds(task: Task, cost: Cost, cells: number, measured: Measured): number | null {
  const rate = measured.rate(rateProfile(task), task.operation.name)
  return rate === null ? null : rate * workOf(task, cost, cells)
}

function estimatedSeconds(task: Task, cost: Cost, cells: number, machine: Profile): number {
  const moved = cost.bytes / machine.writeBytes + (cost.readBytes ?? 0) / machine.readBytes
  const parameters = task.state?.base.facts.activeParameters
  if (!parameters) return cells / machine.cellsPerSecond + moved
  const decode = (2 * parameters * cost.decodeTokens) / machine.decodeFlops
  return decode + (2 * parameters * cost.prefillTokens * cost.depth) / machine.prefillFlops + moved
}

/** Under which name this machine's measurements of a task are kept. */
export function rateProfile(task: Task): string {
  return measuredModel(task.state?.base)
}
