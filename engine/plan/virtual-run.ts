import type { Task } from '../core/step-kind.ts'
import { laneCapacity, scheduledTasks, workersOf } from '../schedule/lanes.ts'
import { type Command, createScheduler, type SchedulerEvent } from '../schedule/scheduler.ts'
import type { Transition } from '../schedule/state.ts'
import { type BatchCost, batchCost, type Plan, type PlannedTask } from './plan.ts'
import type { Batch } from './settle.ts'

/** A batch with what it takes; counted once for every time that it is played. */
export interface CostedBatch {
  readonly task: Task
  readonly cells: number
  readonly cost: BatchCost
}

export type CostedBatches = ReadonlyMap<string, readonly CostedBatch[]>

/** `prompts`: of how many prompts the cells of a task are that are of a whole set, for each that the graph has. */
export function costedBatches(plan: Plan, prompts: (task: Task) => number = () => 1): CostedBatches {
  const costed = ({ task }: PlannedTask, batch: Batch) => {
    const cost = batchCost(plan, batch)
    const bytes = (task.operation.ofWholeSet ? prompts(task) : 1) * cost.bytes
    return { task, cells: batch.cells.length, cost: { ...cost, bytes, madeOf: prompts(task) * cost.madeOf } }
  }
  return new Map(plan.tasks.map((planned) => [planned.task.id, planned.batches.map((batch) => costed(planned, batch))]))
}

/** A batch as the virtual clock saw it, in seconds from the beginning. */
export interface PlayedBatch extends CostedBatch {
  readonly from: number
  readonly until: number
  /** The batch whose end let it begin: its lane was taken or its inputs were not there. Null at the beginning. */
  readonly after: PlayedBatch | null
  readonly transition: Transition | null
  /** Of its lane. */
  readonly worker: number
}

/**
 * Plays the plan through the scheduler that a run uses, on a virtual clock. Batches come in the order in which they
 * begin. `secondsOf` is asked for each as it begins.
 */
export function virtualRun(
  plan: Plan,
  batches: CostedBatches,
  secondsOf: (batch: CostedBatch, on: Pick<PlayedBatch, 'transition' | 'worker'>) => number,
): readonly PlayedBatch[] {
  const tasks = plan.tasks.map(({ task }) => task)
  const workers = workersOf(tasks)
  const scheduler = createScheduler(scheduledTasks(tasks, workers), laneCapacity(workers, 2))
  const todo: SchedulerEvent[] = [{ type: 'start' }]
  const running: PlayedBatch[] = []
  const played: PlayedBatch[] = []
  let ended: PlayedBatch | null = null

  const carryOut = (command: Command): void => {
    const of = 'task' in command ? (batches.get(command.task) as readonly CostedBatch[]) : []
    if (command.type === 'settle') todo.push({ type: 'settled', task: command.task, batches: of.length })
    else if (command.type === 'dispatch') {
      const batch = of[command.batch] as CostedBatch
      const from = ended?.until ?? 0
      const on = { transition: command.transition, worker: command.worker }
      const until = from + secondsOf(batch, on)
      const now: PlayedBatch = { ...batch, from, until, after: ended, ...on }
      running.push(now)
      played.push(now)
    }
  }
  for (;;) {
    let event = todo.shift()
    if (!event) {
      const next = earliest(running)
      if (!next) return played
      ended = next
      event = { type: 'batch-done', task: next.task.id, worker: next.worker }
    }
    for (const command of scheduler.next(event)) carryOut(command)
  }
}

/** Takes out the batch that ends first; of those that end together, the one that began first. */
function earliest(running: PlayedBatch[]): PlayedBatch | undefined {
  let first = 0
  for (const [index, batch] of running.entries()) if (batch.until < (running[first] as PlayedBatch).until) first = index
  return running.splice(first, 1)[0]
}
