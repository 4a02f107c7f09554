import { type ChildProcess, spawn } from 'node:child_process'
import type { Duplex } from 'node:stream'
import { isObject, type Json, type JsonObject } from '../../core/json.ts'
import { encodeFrame, frameDecoder } from './frames.ts'
import { outputLines } from './output-lines.ts'
import { type HowEnded, howItEnded, SidecarEnded, SidecarError, SidecarUnusable } from './sidecar-errors.ts'
import { silenceWatch } from './silence.ts'

const protocolVersion = 1

/** The inference process, seen from the engine. */
export interface Sidecar {
  /** What it said of itself when it shook hands. @throws SidecarUnusable when it speaks another protocol, SidecarEnded. */
  readonly ready: Promise<Hello>
  /** @throws SidecarError when it answers with an error, SidecarEnded when it has ended and no answer can come. */
  call(method: string, params: JsonObject, onProgress?: (progress: Progress) => void): Promise<Json>
  alive(): boolean
  /** Lets it end by itself, then waits for it. */
  close(): Promise<void>
  kill(): void
}

export interface Hello {
  readonly device: string
  /** Bytes. */
  readonly memory: number
  /** Of Python and of every package that can change a result. */
  readonly versions: Readonly<Record<string, string>>
  /** Whether those for forward passes on a CPU were compiled. */
  readonly kernels?: boolean
}

export interface Progress {
  readonly done: number
  readonly total: number
  readonly tokens: number
}

export interface SidecarCommand {
  /** Program and arguments that start it. */
  readonly command: readonly string[]
  /** Folder that holds the Python package. */
  readonly root: string
  /** Seconds without a frame, while an answer is due, after which it counts as hung. */
  readonly silence: number
  /** How many of its kind share the processor and memory of this machine, itself among them. Default: 1. */
  readonly sideBySide?: number
}

export interface SidecarOptions extends SidecarCommand {
  onLog(text: string): void
}

const longestHello = 60
/** Milliseconds that it has to end by itself, and to be gone after SIGKILL. */
const closeGrace = 5_000
const killGrace = 10_000
/** Milliseconds between its end and that of its output, which a process of its own may hold open. */
const outputGrace = 1_000
const shownLines = 5

/** Starts the sidecar on an inherited socket pair and shakes hands with it. */
export function startSidecar(options: SidecarOptions): Sidecar {
  const [program, ...args] = options.command as [string, ...string[]]
  const child = spawn(program, args, {
    cwd: options.root,
    env: sidecarEnvironment(options),
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  })
  const { giveUp, ...sidecar } = connect(child, options)
  const ready = shakeHands(sidecar, Math.min(longestHello, options.silence), giveUp)
  ready.catch(() => {})
  return { ...sidecar, ready }
}

async function shakeHands({ call, kill }: Peer, patience: number, giveUp: GiveUp): Promise<Hello> {
  const timer = setTimeout(() => giveUp(`did not answer hello within ${patience} s`, silenceAdvice), patience * 1000)
  try {
    const hello = await call('hello', { protocol: protocolVersion })
    const { protocol, device, memory_bytes: memory, versions, kernels } = isObject(hello) ? hello : {}
    if (protocol !== protocolVersion)
      throw new SidecarError(`it speaks protocol ${String(protocol)}, this engine ${protocolVersion}`, 'protocol', null)
    return { device, memory, versions, ...(kernels === undefined ? {} : { kernels }) } as unknown as Hello
  } catch (error) {
    kill()
    if (!(error instanceof SidecarError)) throw error
    throw new SidecarUnusable(`the sidecar cannot be used: ${error.message}\n${setUpAdvice}`)
  } finally {
    clearTimeout(timer)
  }
}

const silenceAdvice = 'if it was at work, give it longer with DAG_SIDECAR_SILENCE (seconds)'
const startAdvice = 'run `npm run setup`, or mend DAG_PYTHON or DAG_SIDECAR if one of them is set'
const setUpAdvice = 'engine and sidecar may be of different versions: run `npm run setup`'

interface Pending {
  resolve(value: Json): void
  reject(error: Error): void
  onProgress?: ((progress: Progress) => void) | undefined
}

type Peer = Omit<Sidecar, 'ready'>
/** Ends it for a reason of the engine's. */
type GiveUp = (how: string, advice: string | null) => void

function connect(child: ChildProcess, { silence, onLog }: SidecarOptions): Peer & { giveUp: GiveUp } {
  const socket = child.stdio[3] as Duplex
  const pending = new Map<number, Pending>()
  const outputs = [child.stdout, child.stderr].flatMap((stream) => (stream ? [readLines(stream, onLog)] : []))
  let nextId = 1
  let alive = true
  let given: HowEnded | null = null

  const watch = silenceWatch(silence, () => giveUp(`gave no sign of life for ${silence} s and was ended`, silenceAdvice))
  const end = (error: Error): void => {
    alive = false
    watch.await(false)
    for (const { reject } of pending.values()) reject(error)
    pending.clear()
  }
  const gone = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      end(new SidecarUnusable(`the sidecar cannot be started: ${error.message}\n${startAdvice}`))
      resolve()
    })
    child.once('exit', () => {
      alive = false
      const timer = setTimeout(() => {
        for (const stream of child.stdio) stream?.destroy()
      }, outputGrace)
      child.once('close', () => clearTimeout(timer))
    })
    child.once('close', (code, signal) => {
      const lastLines = outputs.flatMap((lines) => lines.last()).slice(-shownLines)
      end(new SidecarEnded(given ?? howItEnded(code, signal, decoder.unfinished), lastLines))
      resolve()
    })
  })
  /** What is due is answered when the process is gone, so that two never hold a model at once. */
  const giveUp: GiveUp = (how, advice) => {
    given ??= { how, advice }
    alive = false
    child.kill('SIGKILL')
    const stuck = new SidecarUnusable(`the sidecar ${how}\nprocess ${child.pid} has not ended on SIGKILL and may still hold the model`)
    const timer = setTimeout(() => end(stuck), killGrace)
    void gone.then(() => clearTimeout(timer))
  }

  const receive = (message: unknown): void => {
    if (!isObject(message)) throw new Error('it sent a message that is no object')
    const params = message.params as Record<string, Json> | undefined
    if (message.method === 'progress' && params) {
      pending.get(Number(params.request))?.onProgress?.(params as unknown as Progress)
      return
    }
    if (message.method === 'log' && params) return onLog(String(params.text))
    if (message.method !== undefined) return
    if (message.id === null && isObject(message.error))
      return giveUp(`could not read a request: ${errorOf(message.error).message}`, setUpAdvice)
    const waiting = pending.get(Number(message.id))
    if (!waiting) return onLog(`the sidecar answered request ${String(message.id)}, for which no answer is due; it is ignored`)
    pending.delete(Number(message.id))
    watch.await(pending.size > 0)
    if (isObject(message.error)) waiting.reject(errorOf(message.error))
    else waiting.resolve(message.result ?? null)
  }
  const decoder = frameDecoder(receive)
  socket.on('data', (chunk: Buffer) => {
    if (given) return
    watch.heard()
    try {
      decoder.take(chunk)
    } catch (error) {
      giveUp(`broke the protocol: ${(error as Error).message}`, setUpAdvice)
    }
  })
  socket.on('end', () => {
    const where = decoder.unfinished ? ` in the middle of a frame (${decoder.unfinished})` : ''
    const timer = setTimeout(() => giveUp(`closed its connection${where}`, setUpAdvice), outputGrace)
    void gone.then(() => clearTimeout(timer))
  })
  // Its end is reported by the process itself.
  socket.on('error', () => {})

  const call: Sidecar['call'] = (method, params, onProgress) => {
    if (!alive) return Promise.reject(new SidecarEnded(given ?? { how: 'has ended', advice: null }, []))
    const id = nextId++
    const frame = encodeFrame({ jsonrpc: '2.0', id, method, params })
    return new Promise((resolve, reject) => {
      pending.set(id, { resolve, reject, onProgress })
      watch.await(true)
      socket.write(frame)
    })
  }
  return {
    call,
    giveUp,
    alive: () => alive,
    async close() {
      if (!alive) return
      call('shutdown', {}).catch(() => {})
      const timer = setTimeout(() => giveUp('did not end when asked to', null), closeGrace)
      await gone
      clearTimeout(timer)
    },
    kill() {
      child.kill('SIGKILL')
    },
  }
}

function errorOf(error: Record<string, Json>): SidecarError {
  const data = isObject(error.data) ? error.data : {}
  return new SidecarError(String(error.message), String(data.kind ?? 'internal'), typeof data.digest === 'string' ? data.digest : null)
}

function readLines(stream: NodeJS.ReadableStream, onLine: (line: string) => void) {
  const lines = outputLines(onLine)
  stream.on('data', (chunk: Buffer) => lines.take(chunk))
  stream.on('end', () => lines.end())
  return lines
}

/** The least it needs: no token of the user's reaches a process that reads other people's files. */
function sidecarEnvironment({ root, sideBySide = 1 }: SidecarCommand): Record<string, string> {
  const passed = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TMPDIR', 'OMP_NUM_THREADS', 'CUDA_VISIBLE_DEVICES', 'LD_LIBRARY_PATH']
  const kept = passed.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name] as string]]))
  return {
    ...Object.fromEntries(kept),
    PYTHONPATH: root,
    PYTHONUNBUFFERED: '1',
    PYTHONDONTWRITEBYTECODE: '1',
    HF_HUB_OFFLINE: '1',
    TOKENIZERS_PARALLELISM: 'false',
    DAG_ENGINE_PID: String(process.pid),
    DAG_SIDE_BY_SIDE: String(sideBySide),
  }
}
