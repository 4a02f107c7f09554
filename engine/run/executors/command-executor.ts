import { closeSync, copyFileSync, createReadStream, existsSync, mkdirSync, openSync, renameSync, statSync } from 'node:fs'
import path from 'node:path'
import { createHasher } from '../../core/digest.ts'
import type { RunFact } from '../../core/events.ts'
import { type AsCommand, type CommandSpec, CorruptObject } from '../../core/step-kind.ts'
import { atFile, errorText } from '../../core/system-error.ts'
import type { StagedFile } from '../../store/files/durable.ts'
import { objectPath, type StoreLayout } from '../../store/files/layout.ts'
import { syncDescriptor } from '../../store/files/sync.ts'
import type { Executor, MadeCell } from './work.ts'

/**
 * Runs programs of the user's in a folder of the attempt's own: inputs are copied to `in/`, outputs taken from
 * `out/`. No shell unless asked. A program dies with the engine where util-linux is there to see to it. It has a process
 * group of its own: ctrl-c in a terminal is for the engine, and what a program leaves behind ends with it.
 */
export function commandExecutor(layout: StoreLayout, emit: (fact: RunFact) => void): Executor {
  const groups = new Set<number>()
  return {
    async execute({ task, inputs, batch, staging }) {
      const spec = (task.operation.runs as AsCommand).command(task, inputs)
      mkdirSync(path.join(staging, 'out'))
      await layInputs(layout, spec, staging)
      const { execa } = await import('execa')
      const [program, ...args] = wrapped(spec) as [string, ...string[]]
      const child = execa(program, args, {
        cwd: staging,
        env: { ...baseEnvironment(), ...spec.env },
        extendEnv: false,
        stdin: 'ignore',
        all: true,
        buffer: false,
        reject: false,
        detached: true,
      })
      const group = child.pid
      if (group !== undefined) groups.add(group)
      for await (const line of child.iterable({ from: 'all' })) emit({ type: 'log', task: task.id, text: line })
      const result = await child
      if (group !== undefined) {
        groups.delete(group)
        killGroup(group)
      }
      if (result.failed) throw new Error(howItFailed(spec, result))
      return collect(
        spec,
        batch.cells.map((cell) => cell.spec.id),
        staging,
      )
    },
    async close() {},
    kill() {
      for (const group of groups) killGroup(group)
    },
  }
}

function killGroup(group: number): void {
  try {
    process.kill(-group, 'SIGKILL')
  } catch (error) {
    // Nothing of it is left.
    if (!['ESRCH', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  }
}

const deathSignal = ['/usr/bin/setpriv', '--pdeathsig', 'KILL', '--']

function wrapped(spec: CommandSpec): string[] {
  const argv = spec.shell ? ['/bin/sh', '-c', spec.argv[0] as string] : [...spec.argv]
  return existsSync(deathSignal[0] as string) ? [...deathSignal, ...argv] : argv
}

function baseEnvironment(): Record<string, string> {
  return Object.fromEntries(
    ['PATH', 'HOME', 'LANG'].flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name] as string]])),
  )
}

/** Copies inputs in, hashing each, so that a program never works on bytes other than those its key names. */
async function layInputs(layout: StoreLayout, spec: CommandSpec, staging: string): Promise<void> {
  mkdirSync(path.join(staging, 'in'))
  for (const [name, input] of Object.entries(spec.inputs)) {
    const target = path.join(staging, 'in', name)
    const stored = 'slot' in input
    const from = stored ? objectPath(layout, input.slot.object) : input.file
    try {
      copyFileSync(from, target)
    } catch (error) {
      const damage = stored ? await damageOf(from, input.digest) : null
      if (stored && damage !== null) throw new CorruptObject(input.slot.object, damage)
      throw error
    }
    if ((await digestAndSync(target)) === input.digest) continue
    if (stored) throw new CorruptObject(input.slot.object, 'does not match its digest')
    throw new Error(`${input.file} changed while the run was going on; run again`)
  }
}

/** What is wrong with a stored file that could not be copied; null when it is whole, and the copy is to blame. */
async function damageOf(file: string, digest: string): Promise<string | null> {
  if (!existsSync(file)) return 'is gone'
  try {
    return (await digestOf(file)) === digest ? null : 'does not match its digest'
  } catch (error) {
    return `cannot be read: ${errorText(error)}`
  }
}

/** Takes the outputs that were asked for; what is stored already stays as it is. */
async function collect(
  spec: CommandSpec,
  wanted: readonly string[],
  staging: string,
): Promise<{ files: StagedFile[]; cells: MadeCell[]; failed: [] }> {
  const files: StagedFile[] = []
  const cells: MadeCell[] = []
  for (const name of wanted) {
    const relative = spec.outputs[name] as string
    const file = path.join(staging, relative)
    const stat = statSync(file, { throwIfNoEntry: false })
    if (!stat?.isFile()) throw new Error(`the program ended well but did not write its output "${name}" (${relative})`)
    const digest = await digestAndSync(file)
    renameSync(file, path.join(staging, `output-${name}`))
    files.push({ name: `output-${name}`, digest, bytes: stat.size })
    cells.push({ id: name, digest, slot: { object: digest, format: 'file' }, facts: { bytes: stat.size } })
  }
  return { files, cells, failed: [] }
}

async function digestOf(file: string): Promise<string> {
  const hasher = createHasher()
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hasher.update(chunk as Buffer)
  return hasher.digest()
}

async function digestAndSync(file: string): Promise<string> {
  const digest = await digestOf(file)
  const descriptor = openSync(file, 'r')
  try {
    atFile(file, () => syncDescriptor(descriptor))
  } finally {
    closeSync(descriptor)
  }
  return digest
}

function howItFailed(
  spec: CommandSpec,
  result: { exitCode?: number | undefined; signal?: string | undefined; shortMessage?: string | undefined },
): string {
  const program = spec.shell ? 'the shell command' : `"${spec.argv[0]}"`
  if (result.signal) return `${program} was ended by ${result.signal}`
  if (result.exitCode !== undefined) return `${program} ended with exit code ${result.exitCode}`
  return `${program} could not be run: ${result.shortMessage ?? 'unknown cause'}`
}
