import { existsSync } from 'node:fs'
import type { RunFact } from '../core/events.ts'
import type { Json, JsonObject } from '../core/json.ts'
import { type CellOutput, CorruptObject, type LoadedState, type OnSidecar, type Slot } from '../core/step-kind.ts'
import { objectPath, type StoreLayout } from '../store/layout.ts'
import { type Progress, type Sidecar, SidecarEnded, SidecarError, type SidecarOptions, startSidecar } from './sidecar.ts'
import type { Executor, MadeCell, Outcome, Work } from './work.ts'

/** A batch is tried this often when the sidecar dies under it. */
const attempts = 3

export interface SidecarExecutorOptions extends Omit<SidecarOptions, 'onLog'> {
  readonly layout: StoreLayout
  emit(fact: RunFact): void
}

/** Sends batches to the sidecar, which is started with the first of them, and keeps the right state loaded. */
export function sidecarExecutor(options: SidecarExecutorOptions): Executor {
  let sidecar: Sidecar | null = null
  let loaded: { base: string; resident: string | null; on: string | null } | null = null
  let current: string | null = null
  let killed = false

  const start = async (): Promise<Sidecar> => {
    if (sidecar?.alive) return sidecar
    loaded = null
    checkInstalled(options.command)
    options.emit({ type: 'setup', text: 'starting the sidecar' })
    sidecar = await startSidecar({ ...options, onLog: (text) => options.emit({ type: 'log', task: current, text }) })
    return sidecar
  }

  const ensureState = async (peer: Sidecar, { base, adapter }: LoadedState): Promise<void> => {
    if (loaded?.base !== base.name) {
      if (base.path === null) throw new Error(`model "${base.name}" is not on this machine`)
      options.emit({ type: 'setup', text: `loading ${base.name}` })
      const { device, dtype, quantization } = base
      const seconds = await timed(peer.call('load_base', { path: base.path, dtype, device, quantization }))
      loaded = { base: base.name, resident: null, on: null }
      options.emit({ type: 'state-changed', change: 'base-loaded', name: base.name, seconds })
    }
    const wanted = adapter?.name ?? null
    if (loaded.on === wanted) return
    const seconds = await timed(peer.call('set_adapter', { adapter: adapter && { name: adapter.name, path: adapter.path } }))
    const switched = wanted !== null && wanted !== loaded.resident
    loaded = { ...loaded, on: wanted, resident: wanted ?? loaded.resident }
    if (wanted === null) options.emit({ type: 'state-changed', change: 'adapter-off', name: base.name, seconds })
    else if (switched) options.emit({ type: 'state-changed', change: 'adapter-on', name: wanted, seconds })
  }

  const attempt = async ({ task, inputs, batch, staging }: Work): Promise<Outcome> => {
    const peer = await start()
    if (task.state) await ensureState(peer, task.state)
    const runs = task.operation.runs as OnSidecar
    const params: JsonObject = {
      ...runs.params(
        task,
        inputs,
        batch.cells.map((cell) => cell.spec),
        (output) => reference(options.layout, output),
      ),
      out: staging,
    }
    const onProgress = ({ done, total, tokens }: Progress) => options.emit({ type: 'task-progress', task: task.id, done, total, tokens })
    return outcome(await peer.call(runs.method, params, onProgress))
  }

  return {
    async execute(work) {
      current = work.task.id
      for (let tried = 1; ; tried++) {
        try {
          return await attempt(work)
        } catch (error) {
          if (error instanceof SidecarError && error.kind === 'corrupt' && error.digest) throw lostInput(work, error)
          if (!(error instanceof SidecarEnded) || killed) throw error
          if (tried === attempts) throw error
          options.emit({ type: 'log', task: work.task.id, text: `${error.message} (attempt ${tried} of ${attempts}; trying again)` })
        }
      }
    },
    async close() {
      await sidecar?.close()
    },
    kill() {
      killed = true
      sidecar?.kill()
    },
  }
}

function checkInstalled(command: readonly string[]): void {
  const program = command[0] as string
  if (program.includes('/') && !existsSync(program))
    throw new Error(`the sidecar's Python is not installed at ${program}: run \`npm run setup\``)
}

async function timed(call: Promise<Json>): Promise<number> {
  const started = performance.now()
  await call
  return (performance.now() - started) / 1000
}

function reference(layout: StoreLayout, output: CellOutput): JsonObject {
  const { slot, digest } = output
  if (slot.format !== 'json' && slot.format !== 'tensor') throw new TypeError(`cell ${output.cell} is not a byte range`)
  const { object, format: _format, ...range } = slot
  return { path: objectPath(layout, object), digest, ...(range as JsonObject) }
}

/** Which stored object the sidecar refused. */
function lostInput(work: Work, error: SidecarError): Error {
  for (const cell of work.batch.cells) {
    const input = cell.spec.inputs.find((candidate) => candidate.digest === error.digest)
    if (input) return new CorruptObject(input.slot.object, 'does not match its digest')
  }
  return error
}

interface WireCell {
  readonly id: string
  readonly digest: string
  readonly slot: { readonly file: string; readonly format: string }
  readonly facts: MadeCell['facts']
}

/** The sidecar's answer, with file names in slots replaced by the digests that they will be stored under. */
function outcome(answer: Json): Outcome {
  const { files, cells, failed } = answer as unknown as { files: Outcome['files']; cells: readonly WireCell[]; failed: Outcome['failed'] }
  const digests = new Map(files.map((file) => [file.name, file.digest]))
  return {
    files,
    failed,
    cells: cells.map(({ id, digest, slot: { file, ...slot }, facts }) => {
      const object = digests.get(file)
      if (!object) throw new Error(`the sidecar's cell ${id} lies in a file ${file} that it did not write`)
      return { id, digest, slot: { ...slot, object } as Slot, facts }
    }),
  }
}
