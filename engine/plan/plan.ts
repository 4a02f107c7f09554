import type { Digest } from '../core/digest.ts'
import type { Cost, Inputs, Task } from '../core/step-kind.ts'
import type { TaskGraph } from '../graph/expand.ts'
import { deepKeys } from './keys.ts'
import { type Batch, inputsOf, missingBatches, type SettledTask, type Snapshot, settleTask } from './settle.ts'

/** What must be done, decided before anything is started. */
export interface Plan {
  readonly graph: TaskGraph
  /** In the order of the graph. */
  readonly tasks: readonly PlannedTask[]
  readonly byId: ReadonlyMap<string, PlannedTask>
  /** A task with its cells looked up; a task that is known as done is only looked up when asked for. */
  settled(id: string): SettledTask
  inputs(task: Task): Inputs
}

export interface PlannedTask {
  readonly task: Task
  readonly deep: Digest
  readonly cells: number
  readonly toRun: number
  readonly batches: readonly Batch[]
}

/** Decides for every task what is up to date. A child of a task that must run is expected to run in part or whole. */
export function plan(graph: TaskGraph, snapshot: Snapshot): Plan {
  const deepKey = deepKeys()
  const byId = new Map<string, PlannedTask>()
  const settled = new Map<string, SettledTask>()
  const inputsById = new Map<string, Inputs>()

  const settle = (id: string): SettledTask => {
    let result = settled.get(id)
    if (!result) {
      const task = graph.byId.get(id) as Task
      result = settleTask(task, inputs(task), snapshot)
      settled.set(id, result)
    }
    return result
  }
  const inputs = (task: Task): Inputs => {
    let known = inputsById.get(task.id)
    if (!known) inputsById.set(task.id, (known = inputsOf(task, settle)))
    return known
  }

  for (const task of graph.tasks) {
    const parents = task.parents.map((parent) => ({ role: parent.role, deep: (byId.get(parent.task) as PlannedTask).deep }))
    const deep = deepKey(task, parents)
    const done = snapshot.done(deep)
    if (done !== null) {
      byId.set(task.id, { task, deep, cells: done, toRun: 0, batches: [] })
      continue
    }
    const found = settle(task.id)
    byId.set(task.id, { task, deep, cells: found.cells.length, toRun: found.toRun, batches: missingBatches(found, inputs(task)) })
  }
  return { graph, tasks: [...byId.values()], byId, settled: settle, inputs }
}

/** What a batch takes, summed over its cells. */
export function batchCost(of: Plan, batch: Batch): Cost {
  const { task } = of.byId.get(batch.task) as PlannedTask
  const inputs = of.inputs(task)
  let total: Cost = { decodeTokens: 0, prefillTokens: 0, depth: 0, bytes: 0 }
  const groups = new Set<string>()
  for (const { spec } of batch.cells) {
    const cost = task.operation.cost(task, inputs, spec)
    const first = !groups.has(spec.group)
    groups.add(spec.group)
    total = {
      decodeTokens: total.decodeTokens + (first ? cost.decodeTokens : 0),
      prefillTokens: total.prefillTokens + (first ? cost.prefillTokens : 0),
      depth: Math.max(total.depth, cost.depth),
      bytes: total.bytes + cost.bytes,
    }
  }
  return total
}
