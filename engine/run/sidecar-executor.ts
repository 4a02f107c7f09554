import { existsSync, mkdirSync, rmSync } from 'node:fs'
import type { RunFact } from '../core/events.ts'
import type { JsonObject } from '../core/json.ts'
import type { Maker } from '../core/maker.ts'
import type { ModelSource } from '../core/sources.ts'
import { type Adapter, type CellOutput, CorruptObject, type LoadedState, type OnSidecar } from '../core/step-kind.ts'
import { objectPath, type StoreLayout } from '../store/layout.ts'
import type { TokenLimits } from '../store/token-limits.ts'
import { type Hello, type Progress, type Sidecar, type SidecarCommand, startSidecar } from './sidecar.ts'
import { readAnswer } from './sidecar-answer.ts'
import { endedText, SidecarEnded, SidecarError, SidecarUnusable } from './sidecar-errors.ts'
import { tokenBudget } from './token-budget.ts'
import type { Executor, Outcome, Work } from './work.ts'

/** A batch is tried this often when the sidecar dies under it. */
const attempts = 3
const memoryAdvice = 'memory ran out: take a smaller batch_size'
/** After this many batches in a row that killed every sidecar, none is started any more. */
const lostBatches = 2

export interface SidecarExecutorOptions extends SidecarCommand {
  readonly layout: StoreLayout
  readonly limits: TokenLimits
  /** Whether what a state is loaded from still is what keys name. */
  isUnchanged(loaded: ModelSource | Adapter): Promise<boolean>
  emit(fact: RunFact): void
}

/** Sends batches to the sidecar, which is started with the first of them, and keeps the right state loaded. */
export function sidecarExecutor(options: SidecarExecutorOptions): Executor {
  let sidecar: Sidecar | null = null
  /** `on`: the adapter that is on, null for none, undefined where a switch failed. */
  let loaded: { base: string; machine: JsonObject; resident: string | null; on: string | null | undefined } | null = null
  let current: string | null = null
  let began = false
  let killed = false
  let lost = 0
  /** The task at which sidecars were given up for this run. */
  let givenUp: string | null = null
  const budget = tokenBudget(options.limits, options.emit)

  const start = async (): Promise<Sidecar> => {
    if (sidecar?.alive()) return sidecar
    loaded = null
    began = false
    checkInstalled(options.command)
    options.emit({ type: 'setup', text: 'starting the sidecar' })
    sidecar = startSidecar({ ...options, onLog: (text) => options.emit({ type: 'log', task: current, text }) })
    await sidecar.ready
    began = true
    return sidecar
  }

  /** Has the sidecar read `source`, which somebody may have made anew since it was planned with: then it is not what keys name. */
  const load = async (peer: Sidecar, method: string, params: JsonObject, source: ModelSource | Adapter | null) => {
    const started = performance.now()
    const [answer] = await Promise.allSettled([peer.call(method, params)])
    const seconds = (performance.now() - started) / 1000
    if (source && !(await options.isUnchanged(source)))
      throw new Error(`${wordsFor(source)} (${source.path}) changed while the run was going on; run again`)
    if (answer.status === 'rejected') throw answer.reason
    return { seconds, answer: answer.value }
  }

  const ensureState = async (peer: Sidecar, { base, adapter }: LoadedState): Promise<void> => {
    if (loaded?.base !== base.name) {
      if (base.path === null) throw new Error(`model "${base.name}" is not on this machine`)
      options.emit({ type: 'setup', text: `loading ${base.name}` })
      const { path, device, dtype, quantization } = base
      loaded = null
      const asked = { path, dtype, device, quantization, token_limit: budget.limit(base) }
      const { seconds, answer } = await load(peer, 'load_base', asked, base)
      budget.loaded(base, answer)
      const { machine } = answer as JsonObject
      loaded = { base: base.name, machine: (machine ?? {}) as JsonObject, resident: null, on: null }
      options.emit({ type: 'state-changed', change: 'base-loaded', name: base.name, seconds })
    }
    const wanted = adapter?.name ?? null
    const { resident, on, ...model } = loaded
    if (on === wanted) return
    loaded = { ...model, resident: adapter ? null : resident, on: undefined }
    const named = adapter && { name: adapter.name, path: adapter.path, digest: adapter.digest }
    const { seconds } = await load(peer, 'set_adapter', { adapter: named }, adapter)
    loaded = { ...model, resident: wanted ?? resident, on: wanted }
    if (wanted === null) options.emit({ type: 'state-changed', change: 'adapter-off', name: base.name, seconds })
    else if (wanted !== resident) options.emit({ type: 'state-changed', change: 'adapter-on', name: wanted, seconds })
  }

  const attempt = async ({ task, inputs, batch, staging }: Work): Promise<Outcome> => {
    const from = performance.now()
    const peer = await start()
    if (task.state) await ensureState(peer, task.state)
    const readySeconds = (performance.now() - from) / 1000
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
    const asked = batch.cells.map((cell) => cell.spec.id)
    const answer = await peer.call(runs.method, params, onProgress)
    budget.worked(answer)
    return { ...readAnswer(answer, runs.method, asked), readySeconds, maker: makerOf(await peer.ready, task.state, loaded?.machine ?? {}) }
  }

  /** What is thrown for good when a sidecar ended under a batch, or could not be had. */
  const lostBatch = (task: string, error: SidecarEnded): Error => {
    lost++
    if (!began || lost === lostBatches) givenUp = task
    const which = began ? `, in each of ${attempts} attempts at this batch` : `, in each of ${attempts} attempts to start it`
    return new Error(endedText(error.end, which, error.lastLines))
  }

  return {
    async execute(work) {
      const task = work.task.id
      current = task
      if (givenUp !== null) throw new Error(`not tried: the sidecar was given up after ${givenUp} failed`)
      for (let tried = 1; ; ) {
        try {
          const outcome = await attempt(work)
          lost = 0
          return outcome
        } catch (error) {
          if (error instanceof SidecarError && error.kind === 'corrupt' && error.digest) throw lostInput(work, error)
          if (error instanceof SidecarUnusable) givenUp = task
          if (error instanceof SidecarError && error.kind === 'out-of-memory')
            throw new Error(`${error.message}\n${memoryAdvice}`, { cause: error })
          if (!(error instanceof SidecarEnded) || killed) throw error
          const withLess = budget.halved(error)
          if (!withLess && tried === attempts) throw lostBatch(task, error)
          options.emit({ type: 'log', task, text: error.message })
          if (!withLess) options.emit({ type: 'setup', text: `the sidecar ${error.end.how}; attempt ${++tried} of ${attempts}` })
          emptyFolder(work.staging)
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
    throw new SidecarUnusable(`the sidecar's Python is not installed at ${program}: run \`npm run setup\``)
}

function makerOf({ versions, kernels }: Hello, state: LoadedState | null, machine: JsonObject): Maker {
  if (!state) return { versions }
  const { device } = state.base
  return { versions, device, ...machine, ...(device === 'cpu' && kernels !== undefined ? { kernels } : {}) }
}

function wordsFor(source: ModelSource | Adapter): string {
  return 'digest' in source ? `the adapter of "${source.name}"` : `model "${source.name}"`
}

/** A stored cell as the sidecar is told of it. */
export function reference(layout: StoreLayout, output: CellOutput): JsonObject {
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

/** What a sidecar that died had written so far is no result. */
function emptyFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { mode: 0o700 })
}
