import type { Digest } from '../core/digest.ts'
import type { CellOutput, CellSpec, Inputs, ParentTask, StoredOutput, Task } from '../core/step-kind.ts'
import type { CellMemory } from './cell-memory.ts'
import { cellKeys } from './keys.ts'

/** What planning asks of the store. */
export interface Snapshot {
  /** The cell of this key; `lost` when it was made but its object is gone. */
  look(key: Digest): StoredOutput | 'lost' | null
  /** Tells that about so many cells of a task are looked up next. */
  ahead(task: string, cells: number): void
  /** How many cells the task has, when all of them are stored, or were given up where it is transient. */
  done(task: Task, deep: Digest): number | null
}

/** A cell with what the store holds of it. */
export interface SettledCell {
  readonly spec: CellSpec
  /** Null while an output that it is computed from is not known. */
  readonly key: Digest | null
  readonly output: CellOutput | null
  readonly lost: boolean
  /** It was given up and is made again; `output` is what it was. */
  readonly again: boolean
}

/** Whether a cell is to be made. */
export function isMissing({ output, again }: SettledCell): boolean {
  return output === null || again
}

/** A task with its cells looked up, as far as its parents' outputs are known. */
export interface SettledTask extends ParentTask {
  readonly cells: readonly SettledCell[]
  /** Those that are to be made. */
  readonly missing: readonly SettledCell[]
  cell(id: string): SettledCell | undefined
}

/**
 * Expands a task into cells and looks each one up. `wanted`: its cells that are read by what is to be made, so that a
 * transient task makes them again where it has given them up.
 */
export function settleTask(
  task: Task,
  inputs: Inputs,
  { snapshot, memory }: { readonly snapshot: Snapshot; readonly memory: CellMemory },
  wanted?: ReadonlySet<string>,
): SettledTask {
  const keyOf = cellKeys(task)
  const specs = task.operation.cells(task, inputs)
  snapshot.ahead(task.id, specs.filter(({ own }) => own !== null).length)
  const cells = specs.map((spec): SettledCell => {
    const key = spec.own === null ? null : keyOf(spec.own)
    const found = key === null ? null : snapshot.look(key)
    if (key === null || found === null || found === 'lost') return { spec, key, output: null, lost: found === 'lost', again: false }
    const again = found.evicted === true && (!task.transient || wanted?.has(spec.id) === true)
    return { spec, key, output: { task: task.id, cell: spec.id, key, ...found }, lost: false, again }
  })
  return settledTask(task, inputs, memory, cells)
}

/** What the store holds by now of a task's missing cells, by their names. */
export function madeMeanwhile({ missing }: SettledTask, snapshot: Snapshot): Map<string, StoredOutput> {
  return new Map(
    missing.flatMap(({ spec, key }) => {
      const found = key === null ? null : snapshot.look(key)
      return found === null || found === 'lost' || found.evicted === true ? [] : [[spec.id, found]]
    }),
  )
}

/** The task once its missing cells are made: what became of each, by its name. */
export function withMade(
  { task, cells }: SettledTask,
  inputs: Inputs,
  memory: CellMemory,
  made: ReadonlyMap<string, Pick<CellOutput, 'digest' | 'slot' | 'facts'>>,
): SettledTask {
  const now = cells.map((cell): SettledCell => {
    const found = isMissing(cell) && cell.key !== null ? made.get(cell.spec.id) : undefined
    if (!found || cell.key === null) return cell
    const { digest, slot, facts } = found
    return { ...cell, output: { task: task.id, cell: cell.spec.id, key: cell.key, digest, slot, facts }, lost: false, again: false }
  })
  return settledTask(task, inputs, memory, now)
}

function settledTask(task: Task, inputs: Inputs, memory: CellMemory, cells: readonly SettledCell[]): SettledTask {
  const kept = memory.keep(task.id, cells, () => task.operation.cells(task, inputs))
  return {
    task,
    missing: cells.filter(isMissing),
    get cells() {
      return kept.cells
    },
    cell: kept.cell,
  }
}

/** The inputs of a task from its settled parents. */
export function inputsOf(task: Task, settled: (id: string) => ParentTask): Inputs {
  const byRole = new Map<string, ParentTask[]>()
  for (const { task: id, role } of task.parents) {
    const list = byRole.get(role)
    if (list) list.push(settled(id))
    else byRole.set(role, [settled(id)])
  }
  return { of: (role) => byRole.get(role) ?? [] }
}

/** One piece of work that is committed as a whole. */
export interface Batch {
  readonly task: string
  readonly index: number
  readonly cells: readonly SettledCell[]
}

/**
 * The batches that lack something. They are cut from all groups of the task, done ones too, so that a run that was
 * killed and goes on makes the batches it would have made.
 */
export function missingBatches(settled: SettledTask, inputs: Inputs): Batch[] {
  if (settled.missing.length === 0) return []
  const missing = new Map<string, SettledCell[]>()
  const groups = new Set<string>()
  for (const cell of settled.cells) {
    groups.add(cell.spec.group)
    if (!isMissing(cell)) continue
    const list = missing.get(cell.spec.group)
    if (list) list.push(cell)
    else missing.set(cell.spec.group, [cell])
  }
  const { task } = settled
  return task.operation.batches(task, inputs, [...groups]).flatMap((batch, index) => {
    const cells = batch.flatMap((group) => missing.get(group) ?? [])
    return cells.length > 0 ? [{ task: task.id, index, cells }] : []
  })
}
