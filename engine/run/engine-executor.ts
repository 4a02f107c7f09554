import { canonicalJson, type Json } from '../core/json.ts'
import type { InEngine, Reader } from '../core/step-kind.ts'
import { digestOfBytes } from '../core/digest.ts'
import { stageText } from '../store/durable.ts'
import type { Executor, MadeCell } from './work.ts'

/** Runs small work in this process. Each cell's files become one JSON object of the store. */
export function engineExecutor(read: Reader): Executor {
  return {
    async execute({ task, inputs, batch, staging }) {
      const specs = batch.cells.map((cell) => cell.spec)
      const results = await (task.operation.runs as InEngine).run(task, inputs, specs, read)
      const lines: string[] = []
      let offset = 0
      const places = results.map(({ files }) => {
        const text = canonicalJson({ files: files as Json })
        const length = Buffer.byteLength(text)
        const place = { digest: digestOfBytes(text), offset, length }
        lines.push(text)
        offset += length + 1
        return place
      })
      const file = stageText(staging, 'files.jsonl', `${lines.join('\n')}\n`)
      const cells = results.map(({ facts }, index): MadeCell => {
        const { digest, offset: start, length } = places[index] as (typeof places)[number]
        const id = (specs[index] as { id: string }).id
        return { id, digest, facts, slot: { object: file.digest, format: 'json', offset: start, length } }
      })
      return { files: [file], cells, failed: [] }
    },
    async close() {},
    kill() {},
  }
}
