import { setImmediate as othersTurn } from 'node:timers/promises'
import { digestOfBytes } from '../../core/digest.ts'
import type { RunFact } from '../../core/events.ts'
import { canonicalJson, type Json } from '../../core/json.ts'
import type { BytesFile, InEngine, Reader, Slot, TextFiles } from '../../core/step-kind.ts'
import { stageBytes, type StagedFile, StagedWriter } from '../../store/files/durable.ts'
import type { Executor, MadeCell, Outcome } from './work.ts'

/** Runs small work in this process, cell by cell. */
export function engineExecutor(read: Reader, emit: (fact: RunFact) => void): Executor {
  /** What ends the work that runs. */
  const running = new Set<(reason: Error) => void>()
  return {
    async execute({ task, inputs, batch, staging }) {
      const specs = batch.cells.map((cell) => cell.spec)
      const { promise: killed, reject } = Promise.withResolvers<never>()
      running.add(reject)
      const results = (task.operation.runs as InEngine).run(task, inputs, specs, read)[Symbol.asyncIterator]()
      const staged = new StagedResults(staging)
      try {
        for (const [index, { id }] of specs.entries()) {
          const { value, done } = await Promise.race([results.next(), killed])
          if (done) throw new Error(`${task.id}: ${index} of ${specs.length} cells were made`)
          staged.add(id, value)
          emit({ type: 'task-progress', task: task.id, done: index + 1, total: specs.length, tokens: 0 })
          await othersTurn()
        }
        return staged.finish()
      } finally {
        running.delete(reject)
        staged.close()
      }
    },
    async close() {},
    kill() {
      for (const end of running) end(new Error('interrupted'))
    },
  }
}

/** The text files of each cell become one line of a JSON object of the store; a cell of bytes is an object of its own. */
class StagedResults {
  readonly #folder: string
  readonly #cells: ((lines: StagedFile | null) => MadeCell)[] = []
  readonly #files: StagedFile[] = []
  #lines: StagedWriter | null = null

  constructor(folder: string) {
    this.#folder = folder
  }

  add(id: string, result: TextFiles | BytesFile): void {
    const { facts } = result
    if ('bytes' in result) {
      const file = stageBytes(this.#folder, `cell-${this.#cells.length}`, result.bytes)
      this.#files.push(file)
      this.#cells.push(() => ({ id, digest: file.digest, facts, slot: { object: file.digest, format: 'file' } }))
      return
    }
    this.#lines ??= new StagedWriter(this.#folder, 'files.jsonl')
    const line = Buffer.from(`${canonicalJson({ files: result.files as Json })}\n`)
    const json = line.subarray(0, -1)
    const digest = digestOfBytes(json)
    const place = { format: 'json', offset: this.#lines.bytes, length: json.length } as const
    this.#lines.write(line)
    this.#cells.push((lines) => ({ id, digest, facts, slot: { object: (lines as StagedFile).digest, ...place } satisfies Slot }))
  }

  finish(): Outcome {
    const lines = this.#lines?.finish() ?? null
    const files = lines ? [lines, ...this.#files] : this.#files
    return { files, cells: this.#cells.map((cell) => cell(lines)), failed: [], maker: { versions: { node: process.versions.node } } }
  }

  close(): void {
    this.#lines?.close()
  }
}
