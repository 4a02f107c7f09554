import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Readable } from 'node:stream'
import { onTestFinished } from 'vitest'
import type { RunEvent, RunFinished } from '../../engine/core/events.ts'
import { root } from '../support/paths.ts'
import { childrenOf, killIfThere } from '../support/processes.ts'
import { differences, leftovers, type Outcome, type OutcomePart, outcomeOf, violations } from './invariants.ts'

export const chainFile = 'workflows/chain.yaml'

/** Four commands, five outputs: small enough to be killed at every call that changes the store. */
export const chain = `workflow: chain
steps:
  words: { kind: command, run: [sort, -u, "{in.text}", -o, "{out.sorted}"], inputs: { text: ../in.txt }, outputs: { sorted: sorted.txt } }
  ends:
    kind: command
    run: "head -c 9 {in.x} > {out.head}; tail -c 9 {in.x} > {out.tail}"
    inputs: { x: { step: words, output: sorted } }
    outputs: { head: head.txt, tail: tail.txt }
  copy: { kind: command, run: [cp, "{in.x}", "{out.copy}"], inputs: { x: { step: ends, output: tail } }, outputs: { copy: copy.txt } }
  big: { kind: command, run: "yes dag | head -c 300000 > {out.big}", outputs: { big: big.txt } }
`

/** A workspace with the chain, in which nothing is done yet. */
export function makeChain(folder: string, workflow: string = chain): void {
  for (const name of ['cache', 'workflows']) mkdirSync(path.join(folder, name), { recursive: true })
  writeFileSync(path.join(folder, chainFile), workflow)
  writeFileSync(path.join(folder, 'in.txt'), 'pear\nfig\napple\nfig\n')
}

/** A chain of two commands for each number, the files of which grow from pair to pair. */
export function manyCommands(pairs: number): string {
  const steps = Array.from({ length: pairs }, (_each, index) => {
    const kib = 1 + (index % 7) * 20
    return `  make-${index}: { kind: command, run: "yes ${index} | head -c ${kib * 1024} > {out.o}", outputs: { o: made.txt } }
  copy-${index}: { kind: command, run: [cp, "{in.x}", "{out.o}"], inputs: { x: { step: make-${index}, output: o } }, outputs: { o: copy.txt } }
`
  })
  return `workflow: chain\nsteps:\n${steps.join('')}`
}

/** A new folder with the chain, removed after the test. */
export function chainFolder(workflow?: string): string {
  const folder = temporaryFolder()
  makeChain(folder, workflow)
  return folder
}

/** What a run of the chain is worth beside the undisturbed one: whatever differs, and what it broke or left. */
export async function nextRun(folder: string, reference: Outcome, start: Start = {}, parts?: readonly OutcomePart[]): Promise<string[]> {
  const { code, stderr, events } = await runChain(folder, start)
  return [
    ...(code === 0 && stderr === '' ? [] : [`the next run ended with ${code}: ${stderr}`]),
    ...differences(outcomeOf(folder), reference, parts),
    ...violations(folder, reference, events),
    ...leftovers(folder),
  ]
}

/** A copy of a folder, removed after the test. */
export function copyOf(from: string): string {
  const folder = temporaryFolder()
  cpSync(from, folder, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true })
  return folder
}

function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'dag-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** What an undisturbed run of a workflow leaves, and how long it takes. */
export async function undisturbed(workflow?: string): Promise<Outcome & { readonly seconds: number }> {
  const folder = mkdtempSync(path.join(tmpdir(), 'dag-'))
  try {
    makeChain(folder, workflow)
    const started = performance.now()
    const { finished, stderr } = await runChain(folder)
    if (finished?.outcome !== 'done') throw new Error(`the undisturbed run did not end well: ${stderr}`)
    return { ...outcomeOf(folder), seconds: (performance.now() - started) / 1000 }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

export interface ChainRun {
  readonly code: number | null
  readonly signal: string | null
  readonly events: readonly RunEvent[]
  readonly finished: RunFinished | null
  readonly stderr: string
}

/** What the program told of a failure: on stderr, as the failure of a task, or as why the run stopped. */
export function told({ stderr, finished }: ChainRun): string {
  return `${stderr}${finished?.failure?.message ?? ''}${finished?.because ?? ''}`
}

export type ChainProcess = ChildProcessByStdio<null, Readable, Readable>

/** How the program is started: by what, which build of it, on which workflow. */
export interface Start {
  /** A command line that the program's own is put behind. */
  readonly under?: readonly string[]
  /** A built program in place of the one of this repository. */
  readonly program?: string | undefined
  readonly workflow?: string
  /** Asked now and then whether the run is of no use: a fault that strikes Node itself can leave it waiting for ever. */
  readonly isVain?: () => boolean
}

export function startChain(folder: string, { under = [], program, workflow = chainFile }: Start = {}): ChainProcess {
  const start = program ? [path.join(root, 'test', 'faults', 'start.mjs'), program] : [path.join(root, 'engine', 'bin', 'dag.cjs')]
  const [file, ...args] = [...under, process.execPath, ...start, 'run', '--ui', 'json', '--keep-free', '0', workflow] as const
  return spawn(file, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
}

/** Runs the chain to its end, be it a killed one. A last line that was cut off is no event. */
export async function runChain(folder: string, start: Start = {}): Promise<ChainRun> {
  const child = startChain(folder, start)
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk) => (stdout += chunk))
  child.stderr.on('data', (chunk) => (stderr += chunk))
  const timer = setInterval(() => {
    if (start.isVain?.()) for (const pid of [...childrenOf(child.pid as number), child.pid as number]) killIfThere(pid)
  }, 200)
  const end = await ended(child)
  clearInterval(timer)
  const events = eventsOf(stdout)
  const last = events.at(-1)
  return { ...end, events, stderr, finished: last?.type === 'run-finished' ? last : null }
}

export function ended(child: ChainProcess): Promise<{ code: number | null; signal: string | null }> {
  return new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal })))
}

export function eventsOf(stdout: string): RunEvent[] {
  const whole = stdout.slice(0, stdout.lastIndexOf('\n') + 1)
  return whole
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as RunEvent)
}
