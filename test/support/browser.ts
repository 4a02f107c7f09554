import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'

const programs = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome']

/** The browser that is installed here; null when there is none. */
export const browserProgram: string | null =
  programs.find((name) => {
    try {
      execFileSync('which', [name], { stdio: 'ignore' })
      return true
    } catch {
      return false
    }
  }) ?? null

export const noBrowser = `none of ${programs.join(', ')} is installed (on Debian: apt-get install chromium)`

export interface Size {
  readonly width: number
  readonly height: number
}

export interface Page {
  /** Value of an expression in the page; a promise is waited for. */
  evaluate<Value>(expression: string): Promise<Value>
  /** Waits until an expression is true. */
  until(expression: string): Promise<void>
  press(...keys: readonly string[]): Promise<void>
  type(text: string): Promise<void>
  screenshot(file: string): Promise<void>
  /** Bytes of the page's script heap, after its garbage was collected where that is asked for. */
  heap(collected?: boolean): Promise<number>
  /** Errors of scripts, and what the page's own policy refused. */
  readonly complaints: readonly string[]
}

export interface Browser {
  /** Opens a file as a person would by a double click. */
  open(file: string, size: Size, options?: { readonly dark?: boolean; readonly hash?: string }): Promise<Page>
  close(): Promise<void>
}

interface Message {
  readonly id?: number
  readonly method?: string
  readonly sessionId?: string
  readonly params?: Record<string, unknown>
  readonly result?: Record<string, unknown>
  readonly error?: { readonly message: string }
}

/** Starts a headless browser and speaks its DevTools protocol. */
export async function startBrowser(): Promise<Browser> {
  const profile = mkdtempSync(path.join(tmpdir(), 'dag-browser-'))
  const flags = ['--headless=new', '--no-sandbox', '--disable-gpu', '--hide-scrollbars', '--no-first-run', '--enable-precise-memory-info']
  const child = spawn(browserProgram as string, [...flags, `--user-data-dir=${profile}`, '--remote-debugging-port=0', 'about:blank'], {
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const socket = new WebSocket(await addressOf(child))
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve)
    socket.addEventListener('error', reject)
  })
  let last = 0
  const waiting = new Map<number, (message: Message) => void>()
  const listeners = new Set<(message: Message) => void>()
  socket.addEventListener('message', ({ data }) => {
    const message = JSON.parse(String(data)) as Message
    if (message.id !== undefined) waiting.get(message.id)?.(message)
    else for (const listener of listeners) listener(message)
  })
  const send = <Result>(method: string, params: object = {}, sessionId?: string): Promise<Result> =>
    new Promise((resolve, reject) => {
      const id = ++last
      waiting.set(id, ({ error, result }) => {
        waiting.delete(id)
        if (error) reject(new Error(`${method}: ${error.message}`))
        else resolve(result as Result)
      })
      socket.send(JSON.stringify({ id, method, params, ...(sessionId && { sessionId }) }))
    })
  return {
    async open(file, size, { dark = false, hash = '' } = {}) {
      const { targetId } = await send<{ targetId: string }>('Target.createTarget', { url: 'about:blank' })
      const { sessionId } = await send<{ sessionId: string }>('Target.attachToTarget', { targetId, flatten: true })
      const tell = <Result>(method: string, params: object = {}) => send<Result>(method, params, sessionId)
      const complaints: string[] = []
      const loaded = new Promise<void>((resolve) => {
        listeners.add((message) => {
          if (message.sessionId !== sessionId) return
          if (message.method === 'Page.loadEventFired') resolve()
          if (message.method === 'Runtime.exceptionThrown') complaints.push(JSON.stringify(message.params?.exceptionDetails))
          if (message.method === 'Log.entryAdded') complaints.push((message.params as { entry: { text: string } }).entry.text)
        })
      })
      for (const domain of ['Page', 'Runtime', 'Log', 'HeapProfiler']) await tell(`${domain}.enable`)
      await tell('Emulation.setDeviceMetricsOverride', { ...size, deviceScaleFactor: 1, mobile: false })
      await tell('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' }] })
      await tell('Page.navigate', { url: `${pathToFileURL(file).href}${hash}` })
      await loaded
      return pageOf(tell, complaints)
    },
    async close() {
      const ended = new Promise((resolve) => child.on('close', resolve))
      socket.close()
      process.kill(-(child.pid as number), 'SIGKILL')
      await ended
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

function pageOf(tell: <Result>(method: string, params?: object) => Promise<Result>, complaints: readonly string[]): Page {
  const evaluate = async <Value>(expression: string): Promise<Value> => {
    const { result, exceptionDetails } = await tell<{ result: { value: Value }; exceptionDetails?: unknown }>('Runtime.evaluate', {
      expression,
      awaitPromise: true,
      returnByValue: true,
    })
    if (exceptionDetails) throw new Error(`${expression}: ${JSON.stringify(exceptionDetails)}`)
    return result.value
  }
  return {
    complaints,
    evaluate,
    until: (expression) =>
      evaluate(`new Promise((resolve) => { const look = () => (${expression}) ? resolve() : requestAnimationFrame(look); look() })`),
    async press(...keys) {
      for (const key of keys) {
        const code = keyCodes[key] ?? key.toUpperCase().charCodeAt(0)
        const text = key === 'Enter' ? { text: '\r' } : {}
        for (const type of ['keyDown', 'keyUp'])
          await tell('Input.dispatchKeyEvent', { type, key, windowsVirtualKeyCode: code, ...(type === 'keyDown' && text) })
      }
    },
    type: (text) => tell('Input.insertText', { text }),
    async screenshot(file) {
      const { data } = await tell<{ data: string }>('Page.captureScreenshot', { format: 'png' })
      writeFileSync(file, Buffer.from(data, 'base64'))
    },
    async heap(collected = false) {
      if (collected) await tell('HeapProfiler.collectGarbage')
      return (await tell<{ usedSize: number }>('Runtime.getHeapUsage')).usedSize
    },
  }
}

const keyCodes: Readonly<Record<string, number>> = {
  Tab: 9,
  Enter: 13,
  PageUp: 33,
  PageDown: 34,
  End: 35,
  Home: 36,
  ArrowLeft: 37,
  ArrowUp: 38,
  ArrowRight: 39,
  ArrowDown: 40,
}

async function addressOf(child: ChildProcess): Promise<string> {
  const said: string[] = []
  for await (const line of createInterface({ input: child.stderr as NodeJS.ReadableStream })) {
    const address = /^DevTools listening on (\S+)$/.exec(line)?.[1]
    if (address) {
      child.stderr?.resume()
      return address
    }
    said.push(line)
  }
  throw new Error(`the browser did not start:\n${said.slice(-10).join('\n')}`)
}
