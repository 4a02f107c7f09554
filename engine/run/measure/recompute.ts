import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { changesOf } from '../../core/maker.ts'
import type { Recomputed, RecomputeReport } from '../../core/recomputed.ts'
import type { CellOutput, Slot, Task } from '../../core/step-kind.ts'
import type { RunFact } from '../../core/events.ts'
import type { Plan, PlannedTask } from '../../plan/plan.ts'
import type { SettledCell } from '../../plan/settle.ts'
import type { Prepared } from '../../prepare.ts'
import { lineageReader } from '../../lineage/lineage.ts'
import { objectPath } from '../../store/files/layout.ts'
import { jsonIn, numbersIn } from '../../store/numbers.ts'
import type { Store } from '../../store/store.ts'
import { tokenLimits } from '../../store/token-limits.ts'
import { commonIds, differenceOf } from './difference.ts'
import type { SidecarCommand } from '../executors/sidecar.ts'
import { sidecarExecutor } from '../executors/sidecar-executor.ts'
import type { Outcome } from '../executors/work.ts'

/**
 * Largest distance that is drift, relative to the length of what is stored, by what a cell was computed in: another
 * order of summation, another number of threads, another shape of batch.
 */
const tolerances: Readonly<Record<string, number>> = { float32: 1e-4, float16: 5e-3, bfloat16: 3e-2, int8: 3e-2 }

interface RecomputeOptions {
  readonly store: Store
  readonly plan: Plan
  readonly sidecar: SidecarCommand
  readonly isUnchanged: Prepared['isUnchanged']
  readonly count: number
  readonly random: () => number
  emit(fact: RunFact): void
  onTask(done: number, total: number): void
}

/** Computes some of the stored cells again, beside the store, and compares. Nothing in the store is changed. */
export async function recompute(options: RecomputeOptions): Promise<RecomputeReport> {
  const { store, plan, emit } = options
  const chosen = inOrderOfState(choose(plan, options.count, options.random))
  const folder = mkdtempSync(path.join(tmpdir(), 'dag-recompute-'))
  const executor = sidecarExecutor({
    ...options.sidecar,
    layout: store.layout,
    limits: tokenLimits(store),
    isUnchanged: options.isUnchanged,
    emit,
  })
  const cells: Recomputed[] = []
  const failed: { task: string; cell: string; reason: string }[] = []
  try {
    for (const [index, { task, cells: asked }] of chosen.entries()) {
      options.onTask(index, chosen.length)
      const staging = path.join(folder, String(index))
      mkdirSync(staging)
      const batch = { task: task.id, index: 0, cells: asked }
      const outcome = await executor.execute({ task, inputs: plan.inputs(task), batch, staging })
      failed.push(...outcome.failed.map(({ id, reason }) => ({ task: task.id, cell: id, reason })))
      for (const cell of asked) {
        const again = placeOf(outcome, cell.spec.id, staging)
        if (again) cells.push(await compared(store, plan, task, cell.output as CellOutput, { ...again, maker: outcome.maker }))
      }
      rmSync(staging, { recursive: true })
    }
    return { cells, failed }
  } finally {
    await executor.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

interface Place {
  readonly file: string
  readonly slot: Slot
  readonly digest: string
}

function placeOf({ cells, files }: Outcome, id: string, staging: string): Place | null {
  const made = cells.find((cell) => cell.id === id)
  const file = made && files.find(({ digest }) => digest === made.slot.object)
  return made && file ? { file: path.join(staging, file.name), slot: made.slot, digest: made.digest } : null
}

async function compared(
  store: Store,
  plan: Plan,
  task: Task,
  stored: CellOutput,
  again: Place & Pick<Outcome, 'maker'>,
): Promise<Recomputed> {
  const then = lineageReader(store).node(stored.key)?.maker
  const since = then && again.maker ? changesOf(then, again.maker) : []
  const head = { task: task.id, cell: stored.cell, operation: task.operation.name, since }
  const file = objectPath(store.layout, stored.slot.object)
  const same = stored.digest === again.digest
  if (again.slot.format === 'json') {
    const [own, other] = [jsonIn(file, stored.slot), jsonIn(again.file, again.slot)] as { token_ids: number[] }[]
    const ids = {
      stored: own?.token_ids.length ?? 0,
      again: other?.token_ids.length ?? 0,
      common: commonIds(own?.token_ids ?? [], other?.token_ids ?? []),
    }
    return { ...head, difference: null, ids, verdict: same ? 'same' : 'drift', flips: null }
  }
  const numbers = await numbersIn(again.file, again.slot)
  const difference = { ...differenceOf(await numbersIn(file, stored.slot), numbers), same }
  const verdict = same ? 'same' : difference.relative <= toleranceOf(task, again.slot) ? 'drift' : 'beyond'
  return { ...head, difference, ids: null, verdict, flips: await flips(store, plan, task, stored, numbers) }
}

function toleranceOf(task: Task, slot: Slot): number {
  const dtype = task.state?.base.dtype ?? (slot.format === 'tensor' ? slot.dtype : 'float32')
  return tolerances[dtype] ?? 0
}

/** Compares the answers of a task along one vector by their mean score, once as stored and once with the new one. */
async function flips(store: Store, plan: Plan, task: Task, stored: CellOutput, numbers: Float32Array): Promise<boolean | null> {
  if (stored.slot.format !== 'parquet') return null
  const vector = stored.cell.slice(stored.cell.lastIndexOf('@'))
  const others = plan.settled(task.id).cells.flatMap(({ output }) => (output?.cell.endsWith(vector) ? [output] : []))
  const means = await Promise.all(others.map(async ({ slot }) => meanOf(await numbersIn(objectPath(store.layout, slot.object), slot))))
  const highest = (values: readonly number[]) => values.indexOf(Math.max(...values))
  const now = means.map((mean, index) => (others[index]?.cell === stored.cell ? meanOf(numbers) : mean))
  return highest(means) !== highest(now)
}

function meanOf(values: Float32Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

interface Chosen {
  readonly task: Task
  readonly cells: readonly SettledCell[]
}

/** A new cell is looked for so often before an operation counts as used up. */
const picks = 200

/** Cells of tasks that are done, as many of each operation as of the others while there are any. */
function choose(plan: Plan, count: number, random: () => number): Chosen[] {
  const done = plan.tasks.filter(({ task, toRun, cells }) => task.operation.runs.on === 'sidecar' && toRun === 0 && cells > 0)
  let operations = [...Map.groupBy(done, ({ task }) => task.operation.name).values()]
  const chosen = new Map<string, Map<string, SettledCell>>()
  for (let found = 0; found < count && operations.length > 0; ) {
    for (const operation of operations) {
      if (found === count) break
      if (chooseOne(plan, operation, chosen, random)) found++
      else operations = operations.filter((other) => other !== operation)
    }
  }
  return [...chosen].map(([id, cells]) => ({ task: plan.byId.get(id)?.task as Task, cells: [...cells.values()] }))
}

function chooseOne(
  plan: Plan,
  tasks: readonly PlannedTask[],
  chosen: Map<string, Map<string, SettledCell>>,
  random: () => number,
): boolean {
  const pick = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)] as T
  for (let tried = 0; tried < picks; tried++) {
    const { task } = pick(tasks)
    const cell = pick(plan.settled(task.id).cells)
    if (isGivenUp(cell)) continue
    const known = chosen.get(task.id) ?? new Map<string, SettledCell>()
    if (known.has(cell.spec.id)) continue
    chosen.set(task.id, known.set(cell.spec.id, cell))
    return true
  }
  return false
}

/** What it was, or what it was computed from, is no longer there to compare. */
function isGivenUp({ output, spec }: SettledCell): boolean {
  return output?.evicted === true || spec.inputs.some((input) => input.evicted)
}

/** So that a model is loaded once and an adapter put on once. */
function inOrderOfState(chosen: readonly Chosen[]): Chosen[] {
  const key = ({ task: { state } }: Chosen) => (state ? `${state.base.name} ${state.adapter?.name ?? ''}` : '~')
  return chosen.toSorted((a, b) => (key(a) < key(b) ? -1 : Number(key(a) !== key(b))))
}
