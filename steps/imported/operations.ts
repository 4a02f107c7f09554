import type { Json } from '../../engine/core/json.ts'
import type { CellSpec, Inputs, Operation, ParentTask, Step, Task } from '../../engine/core/step-kind.ts'
import type { Hidden } from '../common/hidden.ts'
import { paramOrigin } from '../common/origins.ts'
import { inExperiment } from '../common/pattern.ts'
import { chunks } from '../common/pick.ts'

/** A file of somebody else, with its name as the workflow's pattern gives it. */
export interface ImportedFile {
  readonly name: string
  readonly path: string
  readonly digest: string
}

type Files = Readonly<Record<string, ImportedFile>>

/** An organism's answers to one prompt set, by prompt. */
export function answersTask(step: Step, coordinate: { organism: string; promptSet: string }, files: Files): Task {
  return {
    id: `${step.name}/${coordinate.organism}/${coordinate.promptSet}`,
    step: step.name,
    stage: step.name,
    row: coordinate.organism,
    coordinate: { ...coordinate, side: step.name },
    operation: answersOperation,
    parents: [],
    state: null,
    shared: {},
    data: { files: digestsOf(files) },
    tuning: placesOf(files),
    origins: { file: paramOrigin(step.name, 'responses') },
  }
}

/** What was recorded of such answers: of the organism, or of the clean model that read them. */
export function recordingsTask(step: Step, answers: Task, files: Files, { hidden, origin }: Hidden): Task {
  const stage = step.params.of === undefined ? `${step.name}.recordings` : step.name
  const { organism, promptSet } = answers.coordinate
  return {
    id: `${stage}/${organism}/${promptSet}`,
    step: step.name,
    stage,
    row: answers.row,
    coordinate: { ...answers.coordinate, side: step.name },
    operation: recordingsOperation,
    parents: [{ task: answers.id, role: 'answers' }],
    state: null,
    shared: { hidden, component: 'residual', positions: 'response' },
    data: { files: digestsOf(files), layers: step.params.layers as number[] },
    tuning: { ...placesOf(files), batchSize: step.params.batch_size as number },
    origins: { hidden: origin, file: paramOrigin(step.name, 'recordings'), layer: paramOrigin(step.name, 'layers') },
  }
}

function digestsOf(files: Files): Record<string, string> {
  return Object.fromEntries(Object.entries(files).map(([prompt, { digest }]) => [prompt, digest]))
}

function placesOf(files: Files): Record<string, Json> {
  const of = (part: (file: ImportedFile) => string) =>
    Object.fromEntries(Object.entries(files).map(([prompt, file]) => [prompt, part(file)]))
  return { paths: of(({ path }) => path), names: of(({ name }) => inExperiment(name)) }
}

/** What the sidecar is told of a prompt's file. */
function placeOf(task: Task, prompt: string): { path: string; name: string; digest: string } {
  const { paths, names } = task.tuning as Record<'paths' | 'names', Record<string, string>>
  const digests = task.data.files as Record<string, string>
  return { path: paths[prompt] as string, name: names[prompt] as string, digest: digests[prompt] as string }
}

/** Answers are small: so many are read and committed together. */
const answersTogether = 500

const answersOperation: Operation = {
  name: 'imported-answers',
  version: 1,
  counts: { noun: 'answers', by: 'cell' },
  axes: (cell) => ({ prompt: cell }),
  cells(task) {
    return Object.entries(task.data.files as Record<string, string>).map(
      ([prompt, file]): CellSpec => ({ id: prompt, group: prompt, own: { file }, inputs: [] }),
    )
  },
  batches: (_task, _inputs, groups) => chunks(groups, answersTogether),
  cost: () => ({ decodeTokens: 0, prefillTokens: 0, depth: 0, bytes: 10_000 }),
  runs: {
    on: 'sidecar',
    method: 'import_answers',
    params: (task, _inputs, cells) => ({ cells: cells.map(({ id }) => ({ id, ...placeOf(task, id) })) }),
  },
}

const recordingsOperation: Operation = {
  name: 'imported-recordings',
  version: 1,
  counts: { noun: 'recordings', by: 'group', cellsOfGroup: (task) => (task.data.layers as number[]).length },
  axes: (cell) => ({ .../^(?<prompt>.*)@(?<layer>\d+)$/.exec(cell)?.groups }),
  cells(task, inputs) {
    const files = task.data.files as Record<string, string>
    return answersOf(inputs).cells.flatMap(({ spec, output }) =>
      (task.data.layers as number[]).map(
        (layer): CellSpec => ({
          id: `${spec.id}@${layer}`,
          group: spec.id,
          own: output && { file: files[spec.id] as string, tokens: output.digest, layer },
          inputs: output ? [output] : [],
        }),
      ),
    )
  },
  batches: (task, _inputs, groups) => chunks(groups, task.tuning.batchSize as number),
  cost(task, inputs, cell) {
    const tokens = Number(answersOf(inputs).cell(cell.group)?.output?.facts.response_tokens ?? 0)
    return { decodeTokens: 0, prefillTokens: 0, depth: 0, bytes: 2 * tokens * Number(task.shared.hidden) }
  },
  runs: {
    on: 'sidecar',
    method: 'import_recordings',
    params(task, inputs, cells, ref) {
      const groups = [...Map.groupBy(cells, ({ group }) => group)].map(([id, own]) => {
        const output = answersOf(inputs).cell(id)?.output
        if (!output) throw new Error(`the answer to ${id} is not there`)
        const layers = own.map((cell) => Number(cell.id.slice(cell.id.lastIndexOf('@') + 1)))
        return { id, ...placeOf(task, id), response: ref(output), layers }
      })
      return { groups, hidden: task.shared.hidden as number }
    },
  },
}

function answersOf(inputs: Inputs): ParentTask {
  return inputs.of('answers')[0] as ParentTask
}
