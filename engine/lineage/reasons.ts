import type { Axes, Task } from '../core/step-kind.ts'
import type { Plan, PlannedTask } from '../plan/plan.ts'
import type { SettledCell } from '../plan/settle.ts'
import { type Cause, causeId, ownCauses } from './causes.ts'
import type { Explainer } from './explain.ts'
import type { History } from './history.ts'

/** Cells that run for one reason; each running cell of a plan is counted under one of them. */
export interface ReasonGroup {
  readonly type: Cause['type']
  readonly subject: string
  readonly of: string | null
  /** Everything of the kind that happened, e.g. every prompt that was edited. */
  readonly causes: readonly Cause[]
  readonly tasks: number
  readonly cells: number
  /** What people count, by noun. `sure` runs; `may` runs if an input comes out differently. */
  readonly counts: Readonly<Record<string, { readonly sure: number; readonly may: number }>>
}

/** Cells of a task that run for the same causes, their own first. */
interface Bucket {
  readonly causes: readonly Cause[]
  /** How many of them are the cells' own, not those of what they wait for. */
  readonly own: number
  /** Tasks with the cells that they wait for. */
  readonly waitsFor: readonly string[]
  readonly sure: SettledCell[]
  readonly may: SettledCell[]
}

/** Why the cells of a plan run, in as few groups as there are kinds of causes. Pure. */
export function reasonsOf(plan: Plan, explain: Explainer, history: History): ReasonGroup[] {
  const buckets = new Map<string, readonly Bucket[]>()
  for (const { task, toRun } of plan.tasks) if (toRun > 0) buckets.set(task.id, bucketsOf(plan, task, explain, history, buckets, 'causes'))
  const weight = new Map<string, number>()
  for (const list of buckets.values()) {
    for (const bucket of list) {
      const cells = bucket.sure.length + bucket.may.length
      for (const cause of bucket.causes) weight.set(causeId(cause), (weight.get(causeId(cause)) ?? 0) + cells)
    }
  }
  const groups = new Map<string, GroupInMaking>()
  for (const cause of [...buckets.values()].flatMap((list) => list.flatMap((bucket) => bucket.causes))) groupOf(groups, cause)
  for (const [id, list] of buckets) {
    const { task } = plan.byId.get(id) as PlannedTask
    for (const bucket of list) groupOf(groups, mainCause(bucket, weight)).add(task, bucket)
  }
  return [...groups.values()].map((group) => group.group())
}

/** What is behind a cell that waits: the tasks that it waits for, and the causes for which cells of those run. */
export interface Behind {
  readonly causes: readonly Cause[]
  readonly waitsFor: readonly string[]
}

/** What is behind each of a task's cells, as {@link reasonsOf} counts them. */
export function behindCells(plan: Plan, explain: Explainer, history: History, task: Task): (cell: SettledCell) => Behind {
  const buckets = new Map<string, readonly Bucket[]>()
  const visited = new Set<string>()
  const visit = (id: string): void => {
    if (visited.has(id)) return
    visited.add(id)
    const { task: at, toRun } = plan.byId.get(id) as PlannedTask
    for (const parent of at.parents) visit(parent.task)
    if (toRun > 0) buckets.set(id, bucketsOf(plan, at, explain, history, buckets, 'tasks'))
  }
  visit(task.id)
  const found = buckets.get(task.id) ?? []
  return (cell) => found.find((bucket) => bucket.sure.includes(cell) || bucket.may.includes(cell)) ?? { causes: [], waitsFor: [] }
}

function bucketsOf(
  plan: Plan,
  task: Task,
  explain: Explainer,
  history: History,
  parents: ReadonlyMap<string, readonly Bucket[]>,
  wanted: Wanted,
): readonly Bucket[] {
  const past = { history, taskOf: (id: string) => (plan.byId.get(id) as PlannedTask).task }
  const inherited = inheritedCauses(task, parents, past.taskOf, wanted)
  const buckets = new Map<string, Bucket>()
  for (const cell of plan.settled(task.id).missing) {
    const verdict = explain.cell(task, cell)
    const waits = verdict.verdict === 'waits'
    const own = unique(ownCauses(task, cell, verdict, past))
    const behind = waits && (own.length === 0 || wanted === 'tasks') ? inherited(cell) : nothingBehind
    const causes = own.length === 0 ? behind.causes : unique([...own, ...behind.causes])
    const id = [own.length, ...causes.map(causeId), ...behind.waitsFor].join('\n\n')
    let bucket = buckets.get(id)
    if (!bucket) buckets.set(id, (bucket = { causes, own: own.length, waitsFor: behind.waitsFor, sure: [], may: [] }))
    ;(waits && own.length === 0 ? bucket.may : bucket.sure).push(cell)
  }
  return [...buckets.values()]
}

/** What must be known of a cell that waits: why it may run, or the tasks that it waits for too. */
type Wanted = 'causes' | 'tasks'

const nothingBehind: Behind = { causes: [], waitsFor: [] }

/**
 * The causes of the cells that a waiting cell waits for: those of its parents' that agree with it in every axis that
 * both have, such as prompt and layer.
 */
function inheritedCauses(
  task: Task,
  buckets: ReadonlyMap<string, readonly Bucket[]>,
  taskOf: (id: string) => Task,
  wanted: Wanted,
): (cell: SettledCell) => Behind {
  const parents = nearestRunning(task, buckets, taskOf)
  const all = unique(parents.flatMap((parent) => parent.buckets.flatMap((bucket) => bucket.causes)))
  const whole: Behind = { causes: all, waitsFor: parents.map((parent) => parent.task.id) }
  const { axes } = task.operation
  if (!axes || (all.length <= 1 && (parents.length <= 1 || wanted === 'causes'))) return () => whole
  const kinBy = new Map<string, readonly Kin[]>()
  return (cell) => {
    const mine = axes(cell.spec.id)
    const names = Object.keys(mine)
    const indexes = remembered(kinBy, names.join(), () => parents.map((parent) => kinOf(parent.task, parent.buckets, names)))
    const kin = indexes.flatMap(({ task: id, shared, causes }) => {
      const found = causes.get(valuesOf(mine, shared))
      return found ? [{ id, found }] : []
    })
    if (kin.length === 0) return whole
    return { causes: unique(kin.flatMap(({ found }) => found)), waitsFor: kin.map(({ id }) => id) }
  }
}

/**
 * The parents that run. Where none does, those of the parents, and so on: a parent may be known as done while what it was
 * made from is lost, and then nobody knows its outputs until that is made again.
 */
function nearestRunning(task: Task, buckets: ReadonlyMap<string, readonly Bucket[]>, taskOf: (id: string) => Task) {
  for (let above = [task]; above.length > 0; ) {
    const ids = [...new Set(above.flatMap(({ parents }) => parents.map((parent) => parent.task)))]
    const running = ids.flatMap((id) => {
      const list = buckets.get(id)
      return list ? [{ task: taskOf(id), buckets: list }] : []
    })
    if (running.length > 0) return running
    above = ids.map(taskOf)
  }
  return []
}

/** Causes of a parent's cells by the values of the axes that it shares with a child. */
interface Kin {
  readonly task: string
  readonly shared: readonly string[]
  readonly causes: ReadonlyMap<string, readonly Cause[]>
}

function kinOf(task: Task, buckets: readonly Bucket[], names: readonly string[]): Kin {
  const causes = new Map<string, readonly Cause[]>()
  let shared: readonly string[] | undefined
  for (const bucket of buckets) {
    for (const { spec } of [...bucket.sure, ...bucket.may]) {
      const axes = task.operation.axes?.(spec.id) ?? {}
      shared ??= names.filter((name) => axes[name] !== undefined)
      const values = valuesOf(axes, shared)
      const known = causes.get(values) ?? []
      if (!bucket.causes.every((cause) => known.includes(cause))) causes.set(values, unique([...known, ...bucket.causes]))
    }
  }
  return { task: task.id, shared: shared ?? [], causes }
}

function valuesOf(axes: Axes, names: readonly string[]): string {
  return names.map((name) => axes[name]).join('\n')
}

function remembered<V>(map: Map<string, V>, key: string, make: () => V): V {
  let value = map.get(key)
  if (value === undefined) map.set(key, (value = make()))
  return value
}

function unique(causes: readonly Cause[]): readonly Cause[] {
  return causes.length <= 1 ? causes : [...new Map(causes.map((cause) => [causeId(cause), cause])).values()]
}

/** Under which cause cells are counted: of their own if they have any, what makes the most cells run. */
function mainCause({ causes, own }: Bucket, weight: ReadonlyMap<string, number>): Cause {
  const weightOf = (cause: Cause) => weight.get(causeId(cause)) ?? 0
  return (own > 0 ? causes.slice(0, own) : causes).reduce((a, b) => (weightOf(b) > weightOf(a) ? b : a))
}

class GroupInMaking {
  readonly #first: Cause
  readonly #causes = new Map<string, Cause>()
  readonly #tasks = new Set<string>()
  readonly #counts: Record<string, { sure: number; may: number }> = {}
  #cells = 0

  constructor(first: Cause) {
    this.#first = first
  }

  cause(cause: Cause): void {
    if (!this.#causes.has(causeId(cause))) this.#causes.set(causeId(cause), cause)
  }

  add(task: Task, { sure, may }: Bucket): void {
    this.#tasks.add(task.id)
    this.#cells += sure.length + may.length
    const { noun, by } = task.operation.counts
    const count = (cells: readonly SettledCell[]) => (by === 'group' ? new Set(cells.map((cell) => cell.spec.group)).size : cells.length)
    const known = this.#counts[noun] ?? { sure: 0, may: 0 }
    this.#counts[noun] = { sure: known.sure + count(sure), may: known.may + count(may) }
  }

  group(): ReasonGroup {
    const { type, subject, of } = this.#first
    return { type, subject, of, causes: [...this.#causes.values()], tasks: this.#tasks.size, cells: this.#cells, counts: this.#counts }
  }
}

/** The group that a cause belongs to: with others of its kind. */
function groupOf(groups: Map<string, GroupInMaking>, cause: Cause): GroupInMaking {
  const id = `${cause.type}\n${cause.subject}\n${cause.of}`
  const group = remembered(groups, id, () => new GroupInMaking(cause))
  group.cause(cause)
  return group
}
