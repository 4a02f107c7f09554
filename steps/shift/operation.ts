import { digestOfJson } from '../../engine/core/digest.ts'
import type { CellOutput, CellSpec, Inputs, Operation, ParentTask } from '../../engine/core/step-kind.ts'
import { expectedTokens } from '../common/answers.ts'
import { bytesPerState } from '../common/capture.ts'
import { vectorAxes, vectorId, vectorsMadeBy } from '../common/vectors.ts'
import { shiftRemarks } from './remarks.ts'

/** The mean over answers of what an organism's recordings are more than the clean model's, at every layer. */
export const shiftOperation: Operation = {
  name: 'shift',
  version: 1,
  counts: { noun: 'vectors', by: 'cell' },
  axes: vectorAxes,
  remarks: shiftRemarks,
  cells(task, inputs) {
    const answers = answersOf(inputs)
    const [organism, clean] = ['organism', 'clean'].map((role) => recordingsByLayer(inputs.of(role)))
    return vectorsMadeBy(task).map((vector): CellSpec => {
      const id = vectorId(vector)
      const [own, others] = [organism?.(vector.layer), clean?.(vector.layer)]
      const known = answers && own && others
      return {
        id,
        group: id,
        own: known ? { layer: vector.layer, organism: digestOf(own), clean: digestOf(others), answers: digestOf(answers) } : null,
        inputs: known ? [...own, ...others].map(({ output }) => output) : [],
      }
    })
  },
  // Each layer by itself: what is read of one is held until all of it is there.
  batches: (_task, _inputs, groups) => groups.map((group) => [group]),
  cost(task, inputs) {
    const [recordings] = inputs.of('organism')
    const { count, sum } = expectedTokens(inputs)
    return {
      decodeTokens: 0,
      prefillTokens: 0,
      depth: 0,
      bytes: 4 * Number(task.shared.hidden),
      readBytes: recordings ? 2 * sum * bytesPerState(recordings.task) : 0,
      madeOf: 2 * count,
    }
  },
  runs: {
    on: 'sidecar',
    method: 'shift',
    params(_task, inputs, cells, ref) {
      const answers = answersOf(inputs) ?? []
      const [organism, clean] = ['organism', 'clean'].map((role) => recordingsByLayer(inputs.of(role)))
      return {
        cells: cells.map(({ id, own }) => {
          const layer = own?.layer as number
          const [recorded, replayed] = [organism?.(layer) ?? [], clean?.(layer) ?? []]
          return {
            id,
            answers: answers.map((answer, index) => {
              const side = (of: readonly Known[]) => {
                const { output } = of[index] as Known
                return { ref: ref(output), first: firstOfResponse(output, answer.output) }
              }
              return { organism: side(recorded), clean: side(replayed) }
            }),
          }
        }),
      }
    },
  },
}

/** A cell of a parent that is there: its prompt's name and what it holds. */
interface Known {
  readonly prompt: string
  readonly output: CellOutput
}

/** Recordings by their layer, in the order of the answers; null while one of them is not known. Each parent is gone through once. */
function recordingsByLayer(parents: readonly ParentTask[]): (layer: number) => readonly Known[] | null {
  const known = new Map<number, Known[]>()
  const unknown = new Set<number>()
  for (const { cells } of parents) {
    for (const { spec, output } of cells) {
      const layer = Number(spec.id.slice(spec.group.length + 1))
      if (output === null) unknown.add(layer)
      else if (known.get(layer)?.push({ prompt: spec.group, output }) === undefined) known.set(layer, [{ prompt: spec.group, output }])
    }
  }
  return (layer) => (unknown.has(layer) ? null : (known.get(layer) ?? null))
}

function answersOf(inputs: Inputs): Known[] | null {
  const cells = inputs.of('answers').flatMap((parent) => parent.cells)
  if (cells.some(({ output }) => output === null)) return null
  return cells.map(({ spec, output }) => ({ prompt: spec.group, output: output as CellOutput }))
}

function digestOf(cells: readonly Known[]): string {
  return digestOfJson(cells.map(({ prompt, output }) => [prompt, output.digest]))
}

/** The first row of a recording that is of the response: it may be of the prompt too. */
function firstOfResponse(recording: CellOutput, answer: CellOutput): number {
  return Number(recording.facts.tokens) - Number(answer.facts.response_tokens)
}
