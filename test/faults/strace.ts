import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type ChainRun, runChain } from './workload.ts'

/** Calls that change files, and those that make changes last. */
export const changingCalls = [
  'chmod',
  'copy_file_range',
  'fchmod',
  'fdatasync',
  'fsync',
  'ftruncate',
  'link',
  'mkdir',
  'openat',
  'pwrite64',
  'rename',
  'rmdir',
  'sendfile',
  'unlink',
  'unlinkat',
  'write',
  'writev',
] as const

export interface Call {
  readonly name: string
  /** It is this call of that name in the main thread of the program, from 1. */
  readonly when: number
  /** The file, relative to the folder of the run. */
  readonly file: string
}

/** Runs the chain and lists the calls of the program's main thread that concern its folder. */
export async function listCalls(folder: string, names: readonly string[], program?: string): Promise<Call[]> {
  const { calls, run } = await traced(folder, names, [], program)
  if (run.finished?.outcome !== 'done') throw new Error(`the run that is listed did not end well: ${run.stderr}`)
  return calls
}

export interface Injected extends ChainRun {
  /** The call at which the fault struck; null when it never did, or the call does not concern the folder. */
  readonly at: Call | null
}

/** A fault: `signal=KILL`, or `error=ENOSPC`; `when` is the first call it strikes, `range` which ones after it. */
export interface Fault {
  readonly name: string
  readonly when: number
  readonly what: string
  readonly range?: '+'
}

/** Runs the chain with a fault. */
export async function inject(folder: string, { name, when, what, range }: Fault, program?: string): Promise<Injected> {
  const { calls, lines, run } = await traced(folder, [name], ['-e', `inject=${name}:${what}:when=${when}${range ?? ''}`], program)
  const struck = run.signal === 'SIGKILL' || lines.some((line) => line.includes('(INJECTED)'))
  return { ...run, at: struck ? (calls.find((call) => call.when === when) ?? null) : null }
}

/** Without `-f`: the program changes the store in its main thread only, and the counts of calls are those of one thread. */
async function traced(folder: string, names: readonly string[], extra: readonly string[], program: string | undefined) {
  const scratch = mkdtempSync(path.join(tmpdir(), 'strace-'))
  try {
    const file = path.join(scratch, 'calls')
    const under = ['strace', '-qq', '-y', '-o', file, '-e', `trace=${names.join(',')}`, '-e', 'signal=none', ...extra]
    const read = () => (existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : [])
    const isVain = () => read().some((line) => line.includes('(INJECTED)') && !line.includes(`${folder}/`))
    const run = await runChain(folder, { under, program, isVain })
    const lines = read()
    return { run, lines, calls: callsIn(lines, folder) }
  } finally {
    rmSync(scratch, { recursive: true })
  }
}

function callsIn(lines: readonly string[], folder: string): Call[] {
  const seen = new Map<string, number>()
  return lines.flatMap((line) => {
    const name = /^(\w+)\(/.exec(line)?.[1]
    if (!name) return []
    const when = (seen.get(name) ?? 0) + 1
    seen.set(name, when)
    const start = line.indexOf(`${folder}/`)
    if (start < 0 || opensOnly(line)) return []
    const file = /^[^">]*/.exec(line.slice(start + folder.length + 1))?.[0] ?? ''
    return [{ name, when, file }]
  })
}

function opensOnly(line: string): boolean {
  return line.includes('openat(') && !line.includes('O_CREAT')
}
