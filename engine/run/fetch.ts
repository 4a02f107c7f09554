import { spawn } from 'node:child_process'
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
  const ended = await new Promise<string>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve(signal ? `was ended by ${signal}` : `ended with exit code ${code}`))
  })
  const read = answerIn(answer)
  if (!read) throw new Error(`${program} ${args.join(' ')} ${ended} without an answer`)
  return read
}

function answerIn(answer: string): Answer | null {
  try {
    const value = JSON.parse(answer) as Json
    return isObject(value) && isList(value.problems ?? null) ? (value as unknown as Answer) : null
  } catch {
    return null
  }
}
