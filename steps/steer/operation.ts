import type { Json } from '../../engine/core/json.ts'
import type { CellOutput, CellSpec, Inputs, Operation, Task } from '../../engine/core/step-kind.ts'
import { byAnswer, type Steered, steeredId, steeredOf } from '../common/answer-ids.ts'
import { answering } from '../common/answering.ts'
import { indexed, vectorsByName } from '../common/projections.ts'

const answers = answering('steer', 'steered answers')

/** Has a model answer the `prompts` of a task's data while each of its `vectors` is added, `by` so much: a cell each. */
export const steerOperation: Operation = {
  ...answers,
  axes: (cell) => byAnswer({ prompt: cell }),
  cells(task, inputs) {
    const prompts = answers.cells(task, inputs)
    const outputs = vectorsByName(inputs)
    return steersOf(task).flatMap((steered) => {
      const vector = outputs.get(steered.direction)
      return prompts.map((prompt): CellSpec => {
        const id = steeredId(prompt.id, steered)
        const own = vector ? { ...prompt.own, direction: vector.digest, amount: steered.amount } : null
        return { id, group: id, own, inputs: vector ? [vector] : [] }
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
      const steered = (asked.cells as { id: string }[]).map((cell) => {
        const { direction, amount } = steeredOf(cell.id).steered as Steered
        return { ...cell, steer: { vector: directions.indexOf(direction), by: amount } }
      })
      const vectors = directions.keys().map((name) => ref(outputs.get(name) as CellOutput))
      return { ...asked, cells: steered, steering: { layer: task.shared.layer as Json, vectors } }
    },
  },
}

function steersOf({ data }: Task): Steered[] {
  return (data.vectors as string[]).flatMap((direction) => (data.by as number[]).map((amount) => ({ direction, amount })))
}

const prompts = new WeakMap<Task, ReadonlyMap<string, CellSpec>>()

/** The prompts of a task as cells of answers that are not steered, by their names. */
function promptsOf(task: Task, inputs: Inputs): ReadonlyMap<string, CellSpec> {
  const known = prompts.get(task) ?? new Map(answers.cells(task, inputs).map((cell) => [cell.id, cell]))
  prompts.set(task, known)
  return known
}
