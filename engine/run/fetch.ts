import { type ChildProcess, spawn } from 'node:child_process'
import { isList, isObject, type Json, type JsonObject } from '../core/json.ts'

/** What could not be fetched: of which of the wanted, null for all together. */
export interface FetchProblem {
  readonly wanted: number | null
  readonly message: string
  readonly hint: string
}

/**
 * Runs `sidecar/sources/fetch.py`, which speaks of its progress on stderr.
 * @throws Error when the program cannot be started or ends without an answer.
 */
export async function runFetch(command: readonly string[], root: string, request: JsonObject): Promise<FetchProblem[]> {
  return (await ask(command, root, request)).problems
}

/** The commit that each repository's branch or tag names now (null: its default branch), or what is in the way. */
export async function runPin(
  command: readonly string[],
  root: string,
  pin: readonly { readonly repository: string; readonly revision: string | null }[],
): Promise<{ commits: readonly string[]; problems: readonly FetchProblem[] }> {
  const { commits, problems } = await ask(command, root, { pin: pin.map(({ repository, revision }) => ({ repository, revision })) })
  return { commits: commits ?? [], problems }
}

/**
 * Runs `sidecar/sources/prepare_model.py`, which converts the model of a package that is installed beside the sidecar; it
 * speaks of its progress on stderr. Null when the model is there, else what is wrong.
 */
export async function runPrepare(
  command: readonly string[],
  root: string,
  { source, dtype, folder }: { readonly source: string; readonly dtype: string; readonly folder: string },
): Promise<string | null> {
  const [program, ...args] = command as [string, ...string[]]
  const child = spawn(program, [...args, '--source', source, '--dtype', dtype, '--out', folder], {
    cwd: root,
    env: { ...process.env, PYTHONPATH: root },
    stdio: ['ignore', 2, 'pipe'],
  })
  let said = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (said += text))
  const ended = await endOf(child)
  if (ended === null) return null
  return /^error: (.*)$/m.exec(said)?.[1] ?? `${program} ${args.join(' ')} ${ended}: ${said.trim().split('\n').at(-1)}`
}

interface Answer {
  readonly problems: FetchProblem[]
  readonly commits?: string[]
}

async function ask(command: readonly string[], root: string, request: JsonObject): Promise<Answer> {
  const [program, ...args] = command as [string, ...string[]]
  const child = spawn(program, args, { cwd: root, env: { ...process.env, PYTHONPATH: root }, stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.on('error', () => {})
  child.stdin.end(JSON.stringify(request))
  let answer = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (answer += text))
  const ended = await endOf(child)
  const read = answerIn(answer)
  if (!read) throw new Error(`${program} ${args.join(' ')} ${ended ?? 'ended'} without an answer`)
  return read
}

/** How a program ended; null when all went well. */
function endOf(child: ChildProcess): Promise<string | null> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve(signal ? `was ended by ${signal}` : code === 0 ? null : `ended with exit code ${code}`))
  })
}

function answerIn(answer: string): Answer | null {
  try {
    const value = JSON.parse(answer) as Json
    return isObject(value) && isList(value.problems ?? null) ? (value as unknown as Answer) : null
  } catch {
    return null
  }
}
