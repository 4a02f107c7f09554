import { type ChildProcess, spawn } from 'node:child_process'
import type { Duplex } from 'node:stream'
import { isObject, type Json, type JsonObject } from '../core/json.ts'
import { encodeFrame, frameDecoder } from './frames.ts'

export const protocolVersion = 1

/** The inference process, seen from the engine. */
export interface Sidecar {
  /** @throws SidecarError when it answers with an error, SidecarEnded when it ends before it answers. */
  call(method: string, params: JsonObject, onProgress?: (progress: Progress) => void): Promise<Json>
  readonly alive: boolean
  /** What it said of itself. */
  readonly hello: Hello
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
}

export interface Progress {
  readonly done: number
  readonly total: number
  readonly tokens: number
}

export interface SidecarOptions {
  /** Program and arguments that start it. */
  readonly command: readonly string[]
  /** Folder that holds the Python package. */
  readonly root: string
  onLog(text: string): void
}

/** An error that the sidecar reports. `kind` is one of docs/sidecar-protocol.md. */
export class SidecarError extends Error {
  readonly kind: string
  readonly digest: string | null
  constructor(message: string, kind: string, digest: string | null) {
    super(message)
    this.name = 'SidecarError'
    this.kind = kind
    this.digest = digest
  }
}

/** The sidecar ended while an answer was due. */
export class SidecarEnded extends Error {
  constructor(how: string, lastLines: readonly string[]) {
    super(`the sidecar ${how}${lastLines.length > 0 ? `; its last words:\n${lastLines.join('\n')}` : ''}`)
    this.name = 'SidecarEnded'
  }
}

const helloTimeoutMs = 60_000
const keptLines = 20

/** Starts the sidecar on an inherited socket pair and shakes hands with it. */
export async function startSidecar(options: SidecarOptions): Promise<Sidecar> {
  const [program, ...args] = options.command as [string, ...string[]]
  const child = spawn(program, args, {
    cwd: options.root,
    env: sidecarEnvironment(options.root),
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  })
  const sidecar = connect(child, options.onLog)
  const timer = setTimeout(() => sidecar.kill(), helloTimeoutMs)
  try {
    const hello = await sidecar.call('hello', { protocol: protocolVersion })
    if (!isObject(hello) || hello.protocol !== protocolVersion) {
      throw new Error(
        `the sidecar speaks protocol ${isObject(hello) ? hello.protocol : '?'}, this engine ${protocolVersion}: run \`npm run setup\``,
      )
    }
    const { device, memory_bytes: memory, versions } = hello
    return Object.assign(sidecar, { hello: { device, memory, versions } as unknown as Hello })
  } catch (error) {
    sidecar.kill()
    throw error
  } finally {
    clearTimeout(timer)
  }
}

interface Pending {
  resolve(value: Json): void
  reject(error: Error): void
  onProgress?: ((progress: Progress) => void) | undefined
}

function connect(child: ChildProcess, onLog: (text: string) => void): Omit<Sidecar, 'hello'> {
  const socket = child.stdio[3] as Duplex
  const pending = new Map<number, Pending>()
  const lastLines: string[] = []
  let nextId = 1
  let alive = true

  const end = (how: string): void => {
    alive = false
    const error = new SidecarEnded(how, lastLines.slice(-5))
    for (const { reject } of pending.values()) reject(error)
    pending.clear()
  }
  const ended = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      end(`cannot be started: ${error.message}`)
      resolve()
    })
    child.once('close', (code, signal) => {
      end(signal ? `was ended by ${signal}` : `ended with exit code ${code}`)
      resolve()
    })
  })
  const hearLine = (line: string): void => {
    lastLines.push(line)
    if (lastLines.length > keptLines) lastLines.shift()
    onLog(line)
  }
  for (const stream of [child.stdout, child.stderr]) if (stream) readLines(stream, hearLine)

  const receive = (message: unknown): void => {
    if (!isObject(message)) throw new Error('the sidecar sent a message that is no object')
    const params = message.params as Record<string, Json> | undefined
    if (message.method === 'progress' && params) {
      pending.get(Number(params.request))?.onProgress?.(params as unknown as Progress)
      return
    }
    if (message.method === 'log' && params) return onLog(String(params.text))
    const waiting = pending.get(Number(message.id))
    if (!waiting) return onLog(`the sidecar answered request ${String(message.id)}, which nobody asked`)
    pending.delete(Number(message.id))
    if (isObject(message.error)) waiting.reject(errorOf(message.error))
    else waiting.resolve(message.result ?? null)
  }
  const decode = frameDecoder(receive)
  socket.on('data', (chunk: Buffer) => {
    try {
      decode(chunk)
    } catch (error) {
      child.kill('SIGKILL')
      end(`broke the protocol: ${(error as Error).message}`)
    }
  })
  // Its end is reported by the process itself.
  socket.on('error', () => {})

  const call: Sidecar['call'] = (method, params, onProgress) => {
    if (!alive) return Promise.reject(new SidecarEnded('has ended', lastLines.slice(-5)))
    const id = nextId++
    return new Promise((resolve, reject) => {
      pending.set(id, { resolve, reject, onProgress })
      socket.write(encodeFrame({ jsonrpc: '2.0', id, method, params }))
    })
  }
  return {
    call,
    get alive() {
      return alive
    },
    async close() {
      if (!alive) return
      call('shutdown', {}).catch(() => {})
      const timer = setTimeout(() => child.kill('SIGKILL'), 5_000)
      await ended
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

function readLines(stream: NodeJS.ReadableStream, onLine: (line: string) => void): void {
  let rest = ''
  stream.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString('utf8')).split(/\r?\n/)
    rest = (lines.pop() ?? '').slice(-10_000)
    for (const line of lines) if (line.trim() !== '') onLine(line)
  })
  stream.on('end', () => {
    if (rest.trim() !== '') onLine(rest)
  })
}

/** The least it needs: no token of the user's reaches a process that reads other people's files. */
function sidecarEnvironment(root: string): Record<string, string> {
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
  }
}
