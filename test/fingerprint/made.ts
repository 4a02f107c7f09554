import { digestOfBytes } from '../../engine/core/digest.ts'
import type { CellOutput } from '../../engine/core/step-kind.ts'
import { prepare } from '../../engine/prepare.ts'
import { planNow } from '../../engine/run/plan-now.ts'
import { objectPath, type StoreLayout } from '../../engine/store/files/layout.ts'
import { numbersIn } from '../../engine/store/numbers.ts'
import { createReader, readWhole } from '../../engine/store/read.ts'
import { openStore } from '../../engine/store/store.ts'
import { kinds } from '../../steps/index.ts'
import { finishedWorkspace, workflowFile } from '../support/workspace.ts'

/** What was made of a cell: a text that must be equal, or numbers that may differ by a rounding. */
export type Made = string | readonly number[]

/** Cells of a finished workspace that the engine has not made itself, by operation, then by `task:cell`. */
export async function madeIn(folder: string): Promise<Record<string, Record<string, Made>>> {
  const workspace = finishedWorkspace(folder)
  const store = openStore(workspace.at('cache'))
  try {
    const prepared = await prepare(workspace.at(workflowFile), kinds, store)
    if (!prepared.ok) throw new Error(prepared.error.map((problem) => problem.message).join('\n'))
    const { plan } = planNow(prepared.value, store)
    const made: Record<string, Record<string, Made>> = {}
    for (const { task } of plan.tasks) {
      if (task.operation.runs.on === 'engine') continue
      const cells: Record<string, Made> = made[task.operation.name] ?? {}
      made[task.operation.name] = cells
      for (const { spec, output } of plan.settled(task.id).cells) {
        if (output === null) throw new Error(`${task.id}:${spec.id} is not made`)
        cells[`${task.id}:${spec.id}`] = await madeOf(store.layout, output)
      }
    }
    return made
  } finally {
    store.close()
  }
}

/** An answer, or the tokens along a direction. */
interface Listed {
  readonly token_ids: readonly number[]
  readonly prompt_end?: number
  readonly finish_reason?: string
}

async function madeOf(layout: StoreLayout, output: CellOutput): Promise<Made> {
  const { slot } = output
  switch (slot.format) {
    case 'json': {
      const record = (await createReader(layout).json(output)) as unknown as Listed
      return [record.token_ids.join(' '), record.prompt_end, record.finish_reason].filter((part) => part !== undefined).join(' / ')
    }
    case 'file':
      return digestOfBytes(readWhole(layout, output)).slice(0, 12)
    case 'parquet':
    case 'tensor':
      return sketch(await numbersIn(objectPath(layout, slot.object), slot))
  }
}

const directions = 3

/** The length of a list of numbers and what it is along a few fixed directions of signs: near for near lists only. */
function sketch(values: ArrayLike<number>): number[] {
  const sums = Array.from({ length: directions }, () => 0)
  let squares = 0
  for (let index = 0; index < values.length; index++) {
    const value = values[index] as number
    squares += value * value
    for (let direction = 0; direction < directions; direction++) {
      const sum = sums[direction] as number
      sums[direction] = isOdd(index * directions + direction) ? sum + value : sum - value
    }
  }
  return [values.length, ...[Math.sqrt(squares), ...sums].map((value) => Number(value.toPrecision(4)))]
}

/** A fixed coin for every number: the lowest bit of a mixed one (MurmurHash3's finalizer). */
function isOdd(number: number): boolean {
  let mixed = number + 1
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return ((mixed ^ (mixed >>> 16)) & 1) === 1
}

/** Kernels, threads and batches round differently; more than this share of a list's length is another result. */
const tolerance = 0.01

export function same(old: Made | undefined, now: Made | undefined): boolean {
  if (typeof old !== 'object' || typeof now !== 'object') return old === now
  const [length, norm] = old as [number, number]
  return length === now[0] && old.every((value, index) => Math.abs(value - (now[index] as number)) <= tolerance * norm)
}
