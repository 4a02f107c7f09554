import { canonicalJson, type Json } from '../core/json.ts'
import { digestOfBytes } from '../core/digest.ts'
import type { InEngine, Reader } from '../core/step-kind.ts'
import { type StagedFile, stageBytes, stageText } from '../store/durable.ts'
import type { Executor, MadeCell } from './work.ts'

/**
 * Runs small work in this process. Each cell's text files become one line of a JSON object of the store; a cell of
 * bytes is an object of its own.
 */
export function engineExecutor(read: Reader): Executor {
  /** What ends the work that runs. */
  const running = new Set<(reason: Error) => void>()
  return {
    async execute({ task, inputs, batch, staging }) {
      const specs = batch.cells.map((cell) => cell.spec)
      const { promise: killed, reject } = Promise.withResolvers<never>()
      running.add(reject)
      const work = (task.operation.runs as InEngine).run(task, inputs, specs, read)
      const results = await Promise.race([work, killed]).finally(() => running.delete(reject))
      const lines = results.map((result) => ('files' in result ? canonicalJson({ files: result.files as Json }) : null))
      const texts = lines.filter((line) => line !== null)
      const text = texts.length > 0 ? stageText(staging, 'files.jsonl', `${texts.join('\n')}\n`) : null
      const files: StagedFile[] = text ? [text] : []
      let offset = 0
      const cells = results.map((result, index): MadeCell => {
        const { id } = specs[index] as { id: string }
        const { facts } = result
        const line = lines[index] ?? null
        if (line === null) {
          const file = stageBytes(staging, `cell-${index}`, (result as { bytes: Uint8Array }).bytes)
          files.push(file)
          return { id, digest: file.digest, facts, slot: { object: file.digest, format: 'file' } }
        }
        const length = Buffer.byteLength(line)
        const slot = { object: (text as StagedFile).digest, format: 'json', offset, length } as const
        offset += length + 1
        return { id, digest: digestOfBytes(line), facts, slot }
      })
      return { files, cells, failed: [] }
    },
    async close() {},
    kill() {
      for (const end of running) end(new Error('interrupted'))
    },
  }
}
