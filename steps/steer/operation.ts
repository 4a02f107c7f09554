import type { Json } from '../../engine/core/json.ts'
import type { CellOutput, CellSpec, Inputs, Operation, Task } from '../../engine/core/step-kind.ts'
import { byAnswer, type Steered, steeredId, steeredOf } from '../common/answer-ids.ts'
import { answering } from '../common/answering.ts'
import { average } from '../common/metrics.ts'
import { indexed, vectorsByName } from '../common/projections.ts'

const answers = answering('steer', 'steered answers')

/** Has a model answer the `prompts` of a task's data while each of its `vectors` is added, `by` so much: a cell each. */
export const steerOperation: Operation = {
  ...answers,
  version: 2,
  axes: (cell) => byAnswer({ prompt: cell }),
  cells(task, inputs) {
    const prompts = answers.cells(task, inputs)
    const outputs = vectorsByName(inputs)
    return steersOf(task).flatMap((steered) => {
      const vector = outputs.get(steered.direction)
      const unit = unitOf(task, steered, outputs)
      return prompts.map((prompt): CellSpec => {
        const id = steeredId(prompt.id, steered)
        if (!vector || !unit) return { id, group: id, own: null, inputs: [] }
        const own = { ...prompt.own, direction: vector.digest, amount: steered.amount, ...unit.components }
        return { id, group: id, own, inputs: [vector, ...unit.measured] }
      })
    })
  },
  cost: (task, inputs, { id }) => answers.cost(task, inputs, promptsOf(task, inputs).get(steeredOf(id).prompt) as CellSpec),
  runs: {
    on: 'sidecar',
    method: 'generate',
    params(task, inputs, cells, ref) {
      const outputs = vectorsByName(inputs)
      const directions = indexed<string>()
      const asked = answers.runs.params(task, inputs, cells, ref)
      const amounts = new Map(cells.map(({ id, own }) => [id, Number(own?.amount) * Number(own?.norm ?? 1)]))
      const steered = (asked.cells as { id: string }[]).map((cell) => {
        const { direction } = steeredOf(cell.id).steered as Steered
        return { ...cell, steer: { vector: directions.indexOf(direction), by: amounts.get(cell.id) as number } }
      })
      const vectors = directions.keys().map((name) => ref(outputs.get(name) as CellOutput))
      return { ...asked, cells: steered, steering: { layer: task.shared.layer as Json, vectors } }
    },
  },
}

function steersOf({ data }: Task): Steered[] {
  const times = data.times !== undefined
  const amounts = (data.times ?? data.by) as number[]
  return (data.vectors as string[]).flatMap((direction) => amounts.map((amount) => ({ direction, amount, times })))
}

/** In what an amount counts, and the other vectors by which that was measured. */
interface Unit {
  readonly components: { readonly norm?: number }
  readonly measured: readonly CellOutput[]
}

/**
 * The norm of the direction where the amount says so many times; a direction that has no length of its own, such as a
 * random one, counts as long as those of its layer that have, on average. Null while one of them is not known.
 */
function unitOf({ data }: Task, { direction, times }: Steered, outputs: ReadonlyMap<string, CellOutput>): Unit | null {
  if (!times) return { components: {}, measured: [] }
  const measured = data.measured as string[]
  const isOwn = measured.includes(direction)
  const names = isOwn ? [direction] : measured
  const vectors = names.flatMap((name) => outputs.get(name) ?? [])
  if (vectors.length < names.length) return null
  // In the order of the numbers: another order of the vectors would round their sum otherwise.
  const norms = vectors.map(({ facts }) => Number(facts.norm)).sort((a, b) => a - b)
  return { components: { norm: average(norms) }, measured: isOwn ? [] : vectors }
}

const prompts = new WeakMap<Task, ReadonlyMap<string, CellSpec>>()

/** The prompts of a task as cells of answers that are not steered, by their names. */
function promptsOf(task: Task, inputs: Inputs): ReadonlyMap<string, CellSpec> {
  const known = prompts.get(task) ?? new Map(answers.cells(task, inputs).map((cell) => [cell.id, cell]))
  prompts.set(task, known)
  return known
}
