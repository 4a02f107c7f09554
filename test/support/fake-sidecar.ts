/**
 * A sidecar that speaks the protocol and misbehaves as told, without a model: its answers are made from the prompts
 * alone. Started as `node fake-sidecar.ts MODE TIMES FOLDER`; after TIMES starts it behaves. The folder gets the
 * number of every process and what was asked of it.
 */
import { appendFileSync, existsSync, readdirSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import { Socket } from 'node:net'
import path from 'node:path'
import { digestOfBytes } from '../../engine/core/digest.ts'
import type { JsonObject } from '../../engine/core/json.ts'
import { encodeFrame, frameDecoder } from '../../engine/run/executors/frames.ts'
import { stageBytes } from '../../engine/store/files/durable.ts'

const [mode, times, folder] = process.argv.slice(2) as [string, string, string]
const starts = path.join(folder, 'starts')
appendFileSync(starts, `${process.pid}\n`)
const started = readFileSync(starts, 'utf8').trim().split('\n').length
const misbehaves = started <= Number(times)

let flooded = false

interface Request {
  readonly id: number
  readonly method: string
  readonly params: JsonObject
}

const socket = new Socket({ fd: 3 })
const decoder = frameDecoder((message) => void handle(message as Request))
socket.on('data', (chunk) => decoder.take(chunk))
socket.on('end', () => process.exit(0))
socket.on('error', () => process.exit(0))

const send = (message: unknown): void => void socket.write(encodeFrame(message))
const sendBytes = (bytes: Buffer): Promise<void> => new Promise((resolve) => socket.write(bytes, () => resolve()))
const answer = (id: number, result: unknown): void => send({ jsonrpc: '2.0', id, result })

async function handle({ id, method, params }: Request): Promise<void> {
  const onDevice = mode === 'meets' || mode.startsWith('lacks-')
  const told = method !== 'load_base' ? '' : mode === 'shrinks' ? ` ${params.token_limit}` : onDevice ? ` ${params.device}` : ''
  appendFileSync(path.join(folder, 'asked'), `${method}${told}\n`)
  if (misbehaves && (await misbehave(id, method, params))) return
  if (method === 'hello') return answer(id, { protocol: 1, pid: process.pid, device: 'cpu', memory_bytes: 1e9, versions: {} })
  if (method === 'generate') return answer(id, { ...answers(params), ...(mode === 'shrinks' ? { token_budget: 500 } : {}) })
  if (method === 'load_base' && mode === 'shrinks')
    return answer(id, { seconds: 0, token_budget: Math.min(800, Number(params.token_limit ?? 800)) })
  answer(id, { seconds: 0 })
  if (method === 'shutdown') process.exit(0)
}

/** Whether nothing more is to be done for this request. */
async function misbehave(id: number, method: string, params: JsonObject): Promise<boolean> {
  if (method === 'hello') {
    if (mode === 'dies-before-hello') {
      process.stderr.write('ImportError: libnothing.so: cannot open shared object file\n')
      process.exit(1)
    }
    if (mode === 'hangs-at-hello') return true
    if (mode !== 'other-protocol') return false
    answer(id, { protocol: 7 })
    return true
  }
  if (mode === 'stays') {
    process.on('SIGTERM', () => {})
    return method === 'shutdown'
  }
  if (mode === 'refuses-beta' && method === 'set_adapter' && (params.adapter as JsonObject | null)?.name === 'beta') {
    send({ jsonrpc: '2.0', id, error: { code: -32001, message: 'no room for it', data: { kind: 'bad-input' } } })
    return true
  }
  if (method === 'load_base' && mode === `lacks-${params.device}`) {
    const message = `device '${params.device}' is not available on this machine`
    send({ jsonrpc: '2.0', id, error: { code: -32001, message, data: { kind: 'bad-input' } } })
    return true
  }
  if (method !== 'generate') return false
  switch (mode) {
    case 'garbage-frame':
      await sendBytes(Buffer.concat([Buffer.from([0, 0, 0, 5]), Buffer.from('\u0000{[}x')]))
      return true
    case 'two-gigabytes':
      await sendBytes(Buffer.from([0x80, 0, 0, 0]))
      return true
    case 'half-a-frame':
      await sendBytes(Buffer.concat([Buffer.from([0, 0, 0, 100]), Buffer.from('{"jsonrpc"')]))
      socket.removeAllListeners('end')
      socket.end()
      setInterval(() => {}, 60_000)
      return true
    case 'hangs':
      return true
    case 'beats':
      for (let beat = 0; beat < 20; beat++) {
        send({ jsonrpc: '2.0', method: 'alive', params: { request: id } })
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
      return false
    case 'answers-twice':
      answer(id, answers(params))
      answer(id, { files: [], cells: [], failed: [] })
      return true
    case 'unknown-id':
      answer(999, { files: [], cells: [], failed: [] })
      return false
    case 'only-unknown-id':
      answer(999, { files: [], cells: [], failed: [] })
      return true
    case 'floods':
      flood(flooded ? 0 : 1e9)
      flooded = true
      return false
    case 'killed':
      process.kill(process.pid, 'SIGKILL')
      return true
    case 'exit-137':
      process.exit(137)
      break
    case 'dies-after-writing':
      answers(params)
      process.exit(1)
      break
    case 'leaves-cells-out':
      answer(id, { files: [], cells: [], failed: [] })
      return true
    case 'disk-full':
      send({ jsonrpc: '2.0', id, error: { code: -32003, message: 'No space left on device', data: { kind: 'disk-full' } } })
      return true
    case 'meets':
      writeFileSync(path.join(folder, `at-work-${process.pid}`), '')
      await until(() => readdirSync(folder).filter((name) => name.startsWith('at-work-')).length > 1)
      return false
    case 'waits':
      writeFileSync(path.join(folder, 'at-work'), '')
      await until(() => existsSync(path.join(folder, 'go-on')))
      return false
  }
  return false
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10))
}

function answers({ out, cells }: JsonObject) {
  const records = (cells as unknown as { id: string; prompt: string; system_prompt: string | null }[]).map(({ id, ...cell }) => ({
    id,
    text: JSON.stringify({ finish_reason: 'stop', ...cell, response: cell.prompt.toUpperCase() }),
  }))
  const file = stageBytes(out as string, 'answers.jsonl', Buffer.from(`${records.map(({ text }) => text).join('\n')}\n`))
  let offset = 0
  const made = records.map(({ id, text }) => {
    const length = Buffer.byteLength(text)
    const slot = { file: file.name, format: 'json', offset, length }
    offset += length + 1
    return { id, digest: digestOfBytes(text), slot, facts: { prompt_tokens: 1, response_tokens: 2, finish_reason: 'stop' } }
  })
  return { files: [file], cells: made, failed: [] }
}

function flood(bytes: number): void {
  const line = Buffer.from(`${'warning: this is said again and again '.repeat(3)}\n`)
  const chunk = Buffer.concat(Array.from({ length: Math.floor((1 << 20) / line.length) }, () => line))
  for (let sent = 0; sent < bytes; sent += chunk.length) for (let at = 0; at < chunk.length; ) at += writeSync(2, chunk, at)
  if (bytes > 0) writeSync(2, 'the last word\n')
}
