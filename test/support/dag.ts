import { type ChildProcessByStdio, spawn } from 'node:child_process'
import path from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import type { RunEvent, RunFinished } from '../../engine/core/events.ts'
import type { PlanReport } from '../../engine/report/plan-report.ts'
import { python, root } from './paths.ts'
import { type Workspace, workflowFile } from './workspace.ts'

export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** What `engine/bin/dag` starts. */
export const program = path.join(root, 'engine', 'bin', 'dag.cjs')

export type Child = ChildProcessByStdio<null, Readable, Readable>

/** Starts the real program in a workspace; `before` is a command that starts it. */
export function spawnDag(
  folder: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  before: readonly string[] = [],
): Child {
  const [command, ...rest] = [...before, process.execPath, program, ...args] as [string, ...string[]]
  return spawn(command, rest, {
    cwd: folder,
    env: { ...process.env, DAG_PYTHON: python, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

/** Runs the real program to its end. */
export async function dag(
  folder: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  before: readonly string[] = [],
): Promise<Finished> {
  const child = spawnDag(folder, args, env, before)
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk) => (stdout += chunk))
  child.stderr.on('data', (chunk) => (stderr += chunk))
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  return { code, stdout, stderr }
}

export async function plan(workspace: Workspace): Promise<PlanReport> {
  const result = await dag(workspace.folder, ['plan', '--json', workflowFile])
  if (result.code !== 0) throw new Error(result.stderr)
  return JSON.parse(result.stdout) as PlanReport
}

export interface RunOutput {
  readonly code: number | null
  readonly events: readonly RunEvent[]
  readonly finished: RunFinished
}

/** Runs the workflow to its end and reads its events. */
export async function run(workspace: Workspace, env: Readonly<Record<string, string>> = {}, file = workflowFile): Promise<RunOutput> {
  const result = await dag(workspace.folder, ['run', '--ui', 'json', file], env)
  const events = result.stdout
    .trim()
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as RunEvent)
  const last = events.at(-1)
  if (last?.type !== 'run-finished')
    throw new Error(`the run did not end well (exit ${result.code}):\n${result.stderr}\n${result.stdout.slice(-1000)}`)
  return { code: result.code, events, finished: last }
}

/** Runs the workflow until an event of it makes `when` true, then calls `act` with the process; waits for its end. */
export async function runUntil(
  workspace: Workspace,
  when: (event: RunEvent) => boolean,
  act: (child: Child) => void,
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number | null; signal: string | null; events: RunEvent[] }> {
  const child = spawnDag(workspace.folder, ['run', '--ui', 'json', workflowFile], env)
  child.stderr.resume()
  const events: RunEvent[] = []
  let acted = false
  createInterface({ input: child.stdout }).on('line', (line) => {
    const event = JSON.parse(line) as RunEvent
    events.push(event)
    if (acted || !when(event)) return
    acted = true
    act(child)
  })
  const end = await new Promise<{ code: number | null; signal: string | null }>((resolve) =>
    child.on('close', (code, signal) => resolve({ code, signal })),
  )
  if (!acted) throw new Error('the run ended before the moment that the test waits for')
  return { ...end, events }
}
