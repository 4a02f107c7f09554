import { spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import path from 'node:path'
import type { Diagnostic } from '../../core/diagnostic.ts'
import type { RunEvent } from '../../core/events.ts'
import type { Prepared } from '../../prepare.ts'
import { type Notice, noticesOf } from '../../report/notice.ts'
import type { Sink } from '../../report/sinks.ts'

type Workflow = Prepared['workflow']

/** Whoever is told has this long, so that nobody waits for a run that has ended. */
const patience = 30_000

export interface NotifyOptions {
  /** How to go on after the run. */
  readonly command: string
  readonly env: NodeJS.ProcessEnv
  /** What could not be told to somebody; the run is none the worse for it. */
  warn(text: string): void
}

/** Tells whom the workflow names. Secrets are in the environment alone: no text here holds a URL. */
export function notifySink({ notify, folder }: Workflow, { command, env, warn }: NotifyOptions): Sink {
  const noticeOf = noticesOf(command)
  const told: Promise<void>[] = []
  const tell = async (way: string, telling: Promise<void>): Promise<void> => {
    await telling.catch((error: Error) => warn(`nobody was told by ${way}: ${error.message}`))
  }
  return {
    event(event: RunEvent) {
      const notice = noticeOf(event)
      if (!notify || !notice || !notify.on.includes(notice.about)) return
      if (notify.command) told.push(tell(notify.command[0] as string, runCommand(notify.command, folder, notice)))
      if (notify.webhook) told.push(tell(`the webhook of ${notify.webhook}`, post(env[notify.webhook] as string, notice)))
    },
    async close() {
      await Promise.all(told)
    },
  }
}

/** What of `notify` cannot work: a program that is not there, a variable that is not set or is no URL. */
export function notifyProblems({ notify, folder, rangeOf }: Workflow, env: NodeJS.ProcessEnv): Diagnostic[] {
  const problem = (key: string, message: string, hint: string): Diagnostic => {
    return { severity: 'error', rule: 'notify', message, hint, range: rangeOf(['notify', key], 'value') }
  }
  const program = notify?.command?.[0]
  const variable = notify?.webhook
  const problems: Diagnostic[] = []
  if (program && !isProgram(program, folder, env))
    problems.push(
      problem('command', `notify runs "${program}", which is no program here`, 'name one on PATH, or a file relative to the workflow'),
    )
  if (variable && !env[variable])
    problems.push(problem('webhook', `notify posts to the URL in ${variable}, which is not set`, `set it: ${variable}=https://… dag run …`))
  else if (variable && !/^https?:$/.test(protocolOf(env[variable] as string)))
    problems.push(problem('webhook', `what ${variable} holds is no http or https URL`, 'it is not shown, since it may be a secret'))
  return problems
}

function protocolOf(url: string): string {
  return URL.canParse(url) ? new URL(url).protocol : ''
}

function isProgram(program: string, folder: string, env: NodeJS.ProcessEnv): boolean {
  const places = program.includes('/') ? [path.resolve(folder, program)] : (env.PATH ?? '').split(':').map((at) => path.join(at, program))
  return places.some((file) => {
    try {
      accessSync(file, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

function runCommand([program, ...args]: readonly string[], folder: string, notice: Notice): Promise<void> {
  const file = (program as string).includes('/') ? path.resolve(folder, program as string) : (program as string)
  const child = spawn(file, args, { cwd: folder, stdio: ['pipe', 'ignore', 'ignore'], timeout: patience, killSignal: 'SIGKILL' })
  child.stdin.on('error', () => {})
  child.stdin.end(`${JSON.stringify(notice)}\n`)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      if (code === 0) resolve()
      else reject(new Error(signal ? `it was ended by ${signal}` : `it ended with exit code ${code}`))
    })
  })
}

/** What `fetch` says of a failure can hold the URL, so the reason is told by its code. */
async function post(url: string, notice: Notice): Promise<void> {
  const request = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(notice) }
  const wrong = await fetch(url, { ...request, redirect: 'error', signal: AbortSignal.timeout(patience) }).then(
    ({ ok, status }) => (ok ? null : `it answered ${status}`),
    ({ name, cause }: Error & { cause?: { code?: string } }) =>
      name === 'TimeoutError' ? `no answer within ${patience / 1000} s` : `it cannot be reached (${cause?.code ?? name})`,
  )
  if (wrong !== null) throw new Error(wrong)
}
