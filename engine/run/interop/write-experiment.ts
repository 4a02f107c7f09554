import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { ExperimentFile, ExperimentReader } from '../../core/experiment.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import type { CellOutput } from '../../core/step-kind.ts'
import type { StoreLayout } from '../../store/files/layout.ts'
import { createReader } from '../../store/read.ts'
import { type Sidecar, type SidecarCommand, startSidecar } from '../executors/sidecar.ts'
import { reference } from '../executors/sidecar-executor.ts'

/** Files that are worked on at once: what the sidecar is asked for them goes in one message. */
const together = 64

interface WriteOptions {
  readonly layout: StoreLayout
  readonly sidecar: SidecarCommand
  readonly folder: string
  readonly files: readonly ExperimentFile[]
  onLog(text: string): void
  onFile(done: number, total: number): void
}

/** Writes files of another tool's layout, each whole or not at all. What is read of the store is checked. */
export async function writeExperiment(options: WriteOptions): Promise<void> {
  const { layout, folder, files } = options
  let sidecar: Sidecar | null = null
  const ask = async (method: string, params: JsonObject): Promise<Json> => {
    sidecar ??= startSidecar({ ...options.sidecar, onLog: options.onLog })
    await sidecar.ready
    return sidecar.call(method, params)
  }
  const ref = (output: CellOutput) => reference(layout, output)
  const reader = createReader(layout)
  try {
    for (let at = 0; at < files.length; at += together) {
      const chunk = files.slice(at, at + together)
      const norms = await normsOf(chunk, async (recordings) => {
        const answer = (await ask('norms', { activations: recordings.map(ref) })) as { norms: number[][] }
        return answer.norms
      })
      const read: ExperimentReader = { ...reader, norms: async ({ key }) => norms.get(key) ?? [] }
      for (const file of chunk) if (file.is === 'json') writeWhole(path.join(folder, file.path), await file.content(read))
      const torch = chunk.flatMap((file) => (file.is === 'json' ? [] : [torchFile(file, ref)]))
      if (torch.length > 0) await ask('save_torch', { out: folder, files: torch })
      options.onFile(at + chunk.length, files.length)
    }
  } finally {
    await (sidecar as Sidecar | null)?.close()
  }
}

/** Token norms of the recordings that files need, by the key of the recording. */
async function normsOf(
  files: readonly ExperimentFile[],
  ask: (recordings: readonly CellOutput[]) => Promise<readonly (readonly number[])[]>,
): Promise<ReadonlyMap<string, readonly number[]>> {
  const wanted = new Map(files.flatMap((file) => (file.is === 'json' ? file.needs.map((recording) => [recording.key, recording]) : [])))
  if (wanted.size === 0) return new Map()
  const norms = await ask([...wanted.values()])
  return new Map([...wanted.keys()].map((key, index) => [key, norms[index] ?? []]))
}

function torchFile(file: Exclude<ExperimentFile, { is: 'json' }>, ref: (output: CellOutput) => Json): Json {
  if (file.is === 'tensor') return { path: file.path, tensor: ref(file.tensor) }
  const layers = Object.fromEntries(Object.entries(file.layers).map(([layer, output]) => [layer, ref(output)]))
  return { path: file.path, answer: ref(file.answer), layers }
}

function writeWhole(file: string, content: Json): void {
  mkdirSync(path.dirname(file), { recursive: true })
  writeFileSync(`${file}.partial`, `${JSON.stringify(content, null, 2)}\n`)
  renameSync(`${file}.partial`, file)
}
