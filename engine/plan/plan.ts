import type { Digest } from '../core/digest.ts'
import type { Cost, Inputs, Task } from '../core/step-kind.ts'
import type { TaskGraph } from '../graph/expand.ts'
import { type CellMemory, cellMemory } from './cell-memory.ts'
import { deepKeys } from './keys.ts'
import { type Batch, inputsOf, missingBatches, type SettledTask, type Snapshot, settleTask } from './settle.ts'
import { type Wanted, wantedAgain } from './wanted.ts'

/** What must be done, decided before anything is started. */
export interface Plan {
  readonly graph: TaskGraph
  /** In the order of the graph. */
  readonly tasks: readonly PlannedTask[]
  readonly byId: ReadonlyMap<string, PlannedTask>
  readonly wanted: Wanted
  /** Holds the cells of its tasks; a run that carries it out keeps its own there too. */
  readonly memory: CellMemory
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

/** Tasks that are planned, and cells that were looked up for it: a single task may ask for those of all before it. */
export interface PlanProgress {
  readonly tasks: number
  readonly of: number
  readonly cells: number
}

export interface PlanOptions {
  readonly memory?: CellMemory
  readonly onProgress?: ((soFar: PlanProgress) => void) | undefined
}

/** Decides for every task what is up to date. A child of a task that must run is expected to run in part or whole. */
export function plan(graph: TaskGraph, snapshot: Snapshot, options: PlanOptions = {}): Plan {
  const steps = planning(graph, snapshot, options)
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
  }
}

/** {@link plan}, a task a step: for those who have something else to do between two of them. */
export function* planning(
  graph: TaskGraph,
  snapshot: Snapshot,
  { memory = cellMemory(), onProgress }: PlanOptions = {},
): Generator<void, Plan> {
  const deepKey = deepKeys()
  const store = { snapshot, memory }
  const byId = new Map<string, PlannedTask>()
  const settled = new Map<string, SettledTask>()
  const inputsById = new Map<string, Inputs>()

  const soFar = { tasks: 0, of: graph.tasks.length, cells: 0 }
  const settle = (id: string): SettledTask => {
    let result = settled.get(id)
    if (!result) {
      const task = graph.byId.get(id) as Task
      result = settleTask(task, inputs(task), store)
      settled.set(id, result)
      soFar.cells += result.cells.length
      onProgress?.({ ...soFar })
    }
    return result
  }
  const inputs = (task: Task): Inputs => {
    let known = inputsById.get(task.id)
    if (!known) inputsById.set(task.id, (known = inputsOf(task, settle)))
    return known
  }

  for (const [index, task] of graph.tasks.entries()) {
    yield
    soFar.tasks = index
    const parents = task.parents.map((parent) => ({ role: parent.role, deep: (byId.get(parent.task) as PlannedTask).deep }))
    const deep = deepKey(task, parents)
    const done = snapshot.done(task, deep)
    if (done !== null) {
      byId.set(task.id, { task, deep, cells: done, toRun: 0, batches: [] })
      continue
    }
    byId.set(task.id, plannedTask(settle(task.id), inputs(task), deep))
  }
  const wanted = wantedAgain(
    graph,
    (id) => ((byId.get(id) as PlannedTask).toRun > 0 ? settle(id) : null),
    (id, cells) => {
      const { task, deep } = byId.get(id) as PlannedTask
      const found = settleTask(task, inputs(task), store, cells)
      settled.set(id, found)
      byId.set(id, plannedTask(found, inputs(task), deep))
    },
  )
  return { graph, tasks: [...byId.values()], byId, wanted, memory, settled: settle, inputs }
}

function plannedTask(found: SettledTask, inputs: Inputs, deep: Digest): PlannedTask {
  const { task, cells, missing } = found
  return { task, deep, cells: cells.length, toRun: missing.length, batches: missingBatches(found, inputs) }
}

export function hasWork(of: Plan): boolean {
  return of.tasks.some(({ toRun }) => toRun > 0)
}

/** What a batch takes, summed over its cells. */
export interface BatchCost extends Cost {
  readonly groups: number
  /** Tokens of the longest group. */
  readonly longest: number
  readonly madeOf: number
}

export function batchCost(of: Plan, batch: Batch): BatchCost {
  const { task } = of.byId.get(batch.task) as PlannedTask
  const inputs = of.inputs(task)
  const total = { decodeTokens: 0, prefillTokens: 0, depth: 0, bytes: 0, readBytes: 0, longest: 0, madeOf: 0 }
  const groups = new Set<string>()
  for (const { spec } of batch.cells) {
    const { decodeTokens, prefillTokens, depth, bytes, readBytes, madeOf } = task.operation.cost(task, inputs, spec)
    if (!groups.has(spec.group)) {
      groups.add(spec.group)
      total.decodeTokens += decodeTokens
      total.prefillTokens += prefillTokens
      total.readBytes += readBytes ?? 0
      total.longest = Math.max(total.longest, decodeTokens + prefillTokens)
    }
    total.depth = Math.max(total.depth, depth)
    total.bytes += bytes
    total.madeOf += madeOf ?? 0
  }
  return { ...total, groups: groups.size }
}
