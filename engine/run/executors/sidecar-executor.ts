import { existsSync, mkdirSync, rmSync } from 'node:fs'
import type { JsonObject } from '../../core/json.ts'
import { type CellOutput, CorruptObject, type OnSidecar } from '../../core/step-kind.ts'
import { objectPath, type StoreLayout } from '../../store/files/layout.ts'
import type { TokenLimits } from '../../store/token-limits.ts'
import { ModelState, type ModelStateOptions } from './model-state.ts'
import { type Progress, type Sidecar, type SidecarCommand, startSidecar } from './sidecar.ts'
import { readAnswer } from './sidecar-answer.ts'
import { endedText, SidecarEnded, SidecarError, SidecarUnusable } from './sidecar-errors.ts'
import { tokenBudget } from './token-budget.ts'
import type { Executor, Outcome, Work } from './work.ts'

/** A batch is tried this often when the sidecar dies under it. */
const attempts = 3
const memoryAdvice = 'memory ran out: take a smaller batch_size'
/** After this many batches in a row that killed every sidecar, none is started any more. */
const lostBatches = 2

export interface SidecarExecutorOptions extends SidecarCommand, Omit<ModelStateOptions, 'budget'> {
  readonly layout: StoreLayout
  readonly limits: TokenLimits
  /** Where models are loaded. Default: on the first of each model's own devices. */
  readonly device?: string
}

export interface SidecarExecutor extends Executor {
  /** Whether a batch that ended in this error was not even begun, since there is no sidecar for it or none with its model. */
  hasNone(task: Work['task'], error: unknown): boolean
}

/** Sends batches to the sidecar, which is started with the first of them, and keeps the right state loaded. */
export function sidecarExecutor(options: SidecarExecutorOptions): SidecarExecutor {
  let sidecar: Sidecar | null = null
  let current: string | null = null
  let began = false
  let killed = false
  let lost = 0
  /** The task at which sidecars were given up for this run. */
  let givenUp: string | null = null
  const budget = tokenBudget(options.limits, options.emit)
  const state = new ModelState({ ...options, budget })

  const start = async (): Promise<Sidecar> => {
    if (sidecar?.alive()) return sidecar
    state.forget()
    began = false
    checkInstalled(options.command)
    options.emit({ type: 'setup', text: 'starting the sidecar' })
    sidecar = startSidecar({ ...options, onLog: (text) => options.emit({ type: 'log', task: current, text }) })
    await sidecar.ready
    began = true
    return sidecar
  }

  const attempt = async ({ task, inputs, batch, staging }: Work): Promise<Outcome> => {
    const from = performance.now()
    const peer = await start()
    if (task.state) await state.ensure(peer, task.state, options.device ?? (task.state.base.devices[0] as string))
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
    return { ...readAnswer(answer, runs.method, asked), readySeconds, maker: state.maker(await peer.ready, task.state !== null) }
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
      if (givenUp !== null) throw new SidecarUnusable(`not tried: the sidecar was given up after ${givenUp} failed`)
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
    hasNone: ({ state: wanted }, error) => error instanceof SidecarUnusable || !began || (wanted !== null && !state.holds(wanted.base)),
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
