import { digestOfBytes, digestOfJson } from '../../engine/core/digest.ts'
import type { Json } from '../../engine/core/json.ts'
import type { BytesFile, CellOutput, CellSpec, Inputs, ParentTask, Reader, Task, TextFiles } from '../../engine/core/step-kind.ts'
import { inputsOf } from '../../engine/plan/settle.ts'
import { fixtureGraphs } from './fixture.ts'

/** What an operation does on inputs that never change, as far as no model is needed to see it. */
export interface Asked {
  readonly version: number
  /** Digest of the components of its keys, without its version. */
  readonly keys: string
  /** Digest of what it asks of the sidecar or of a program; of the files that it writes when the engine does it. */
  readonly does: string
}

/** Operations whose outputs each operation reads. */
export function readsOf(): ReadonlyMap<string, ReadonlySet<string>> {
  const reads = new Map<string, Set<string>>()
  for (const { tasks, byId } of fixtureGraphs()) {
    for (const task of tasks) {
      const own = reads.get(task.operation.name) ?? new Set()
      for (const parent of task.parents) own.add((byId.get(parent.task) as Task).operation.name)
      reads.set(task.operation.name, own)
    }
  }
  return reads
}

/** Every operation on the fixture. Outputs of the sidecar and of programs are made up. */
export async function askedOf(): Promise<Record<string, Asked>> {
  const seen = new Map<string, { version: number; keys: Json[]; does: Json[] }>()
  for (const graph of fixtureGraphs()) {
    const settled = new Map<string, ParentTask>()
    const written = new Map<string, TextFiles | BytesFile>()
    for (const task of graph.tasks) {
      const inputs = inputsOf(task, (id) => settled.get(id) as ParentTask)
      const specs = task.operation.cells(task, inputs)
      const made = seen.get(task.operation.name) ?? { version: task.operation.version, keys: [], does: [] }
      seen.set(task.operation.name, made)
      made.keys.push(task.shared, ...specs.map((spec) => spec.own))
      made.does.push(await doesOf(task, inputs, specs, written))
      const cells = specs.map((spec) => ({ spec, output: outputOf(task, spec) }))
      settled.set(task.id, { task, cells, cell: (id) => cells.find((cell) => cell.spec.id === id) })
    }
  }
  return Object.fromEntries(
    [...seen]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, { version, keys, does }]) => [name, { version, keys: digestOfJson(keys), does: digestOfJson(does) }]),
  )
}

async function doesOf(task: Task, inputs: Inputs, specs: readonly CellSpec[], written: Map<string, TextFiles | BytesFile>): Promise<Json> {
  const { runs } = task.operation
  const name = (output: CellOutput) => `${output.task} ${output.cell}`
  switch (runs.on) {
    case 'sidecar': {
      const state = task.state && { base: task.state.base.name, adapter: task.state.adapter?.name ?? null }
      return { state, method: runs.method, params: runs.params(task, inputs, specs, name) }
    }
    case 'command':
      return runs.command(task, inputs) as unknown as Json
    case 'engine': {
      const results: (TextFiles | BytesFile)[] = []
      for await (const result of runs.run(task, inputs, specs, madeUpReader(written, name))) results.push(result)
      for (const [index, spec] of specs.entries()) written.set(`${task.id} ${spec.id}`, results[index] as TextFiles | BytesFile)
      const told = results.map((result) => ('bytes' in result ? { ...result, bytes: digestOfBytes(result.bytes) } : result))
      return told as unknown as Json
    }
  }
}

const tokens = ['<s>', 'Why', ' Well', ', rain', ' falls', '.']
const promptEnd = 2

function outputOf(task: Task, { id }: CellSpec): CellOutput {
  const digest = digestOfJson([task.id, id])
  return {
    task: task.id,
    cell: id,
    key: digest,
    digest,
    slot: { object: digest, format: 'file' },
    facts: {
      prompt_tokens: promptEnd,
      response_tokens: tokens.length - promptEnd,
      tokens: tokens.length - promptEnd,
      baseline: 0.25,
      norm: 1.5,
    },
  }
}

/** Made-up answers and scores, the same for the same cell; files of the engine's own operations as they were written. */
function madeUpReader(written: ReadonlyMap<string, TextFiles | BytesFile>, name: (output: CellOutput) => string): Reader {
  return {
    json: async (output) =>
      (written.get(name(output)) ?? {
        prompt: `prompt of ${output.cell}`,
        tokens,
        token_ids: tokens.map((_, index) => index),
        values: tokens.map((_, index) => 1 - index / 3),
        prompt_end: promptEnd,
        response: tokens.slice(promptEnd).join(''),
      }) as unknown as Json,
    text: async (output) => Buffer.from((written.get(name(output)) as BytesFile).bytes).toString('utf8'),
    vector: async (output) => Float32Array.from({ length: 4 }, (_, index) => numberIn(output.digest, index) - 0.5),
    scores: async (output) => Float32Array.from(tokens.slice(promptEnd), (_, index) => numberIn(output.digest, index)),
  }
}

/** A number from 0 to 1 that a digest holds. */
function numberIn(digest: string, index: number): number {
  return Number.parseInt(digest.slice(index * 4, index * 4 + 4), 16) / 65_536
}
