import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import { childrenOf, killIfThere } from '../support/processes.ts'
import { type Outcome, violations } from './invariants.ts'
import { seeded } from './random.ts'
import { type ChainProcess, ended, eventsOf, makeChain, manyCommands, nextRun, startChain } from './workload.ts'

const execute = promisify(execFile)

export const fileSystems = ['ext4', 'xfs', 'btrfs'] as const
export type FileSystem = (typeof fileSystems)[number]

/** What a power cut of any of these file systems needs. */
export const needsOf = (kind: FileSystem) => ({ root: true, programs: ['mount', 'strace', 'mkfs.xfs', `mkfs.${kind}`] })

/** Long enough to be cut twenty times. */
export const cutWorkflow = manyCommands(30)

/**
 * When the power goes: at random moments; at random moments of a run in which each rename waits; or, in such a run, as
 * soon as a batch is reported, while the file system keeps writing itself out. Then a file can be on disk and its
 * rename not, which shows a folder that is not synced.
 */
export type Moments = 'random' | 'slow renames' | 'reports'

export interface Cut {
  /** Events that the run had told before the power went. */
  readonly told: number
  /** Invariants that are broken on the disk as the cut left it. */
  readonly broken: readonly string[]
  /** What the next run on that disk left wrong; empty when that run is not asked for. */
  readonly afterwards: readonly string[]
}

export interface CutOptions {
  readonly kind: FileSystem
  readonly cuts: number
  readonly moments: Moments
  readonly seed: number
  readonly reference: Outcome & { readonly seconds: number }
  /** A built program in place of the one of this repository. */
  readonly program?: string
  /** Whether the next run is made on every disk, to see that it comes to the same results. */
  readonly converge: boolean
}

/**
 * Runs many commands on a disk of its own and cuts the power at random moments. The disk is an image on XFS, so that
 * a reflink copy is what the disk held at one moment; what only the kernel held is not in it.
 */
export async function cutPower(options: CutOptions): Promise<Cut[]> {
  const lab = mkdtempSync(path.join(tmpdir(), 'power-'))
  const images = path.join(lab, 'images')
  const disk = path.join(images, 'disk')
  const mounted = path.join(lab, 'mounted')
  try {
    for (const folder of [images, mounted]) mkdirSync(folder)
    await makeDisk('xfs', path.join(lab, 'outer'), '12G')
    return await withMount('xfs', path.join(lab, 'outer'), images, async () => {
      await makeDisk(options.kind, disk, '320M')
      const told = await withMount(options.kind, disk, mounted, () => runAndCut(options, path.join(mounted, 'work'), disk))
      const cuts: Cut[] = []
      for (const [number, stdout] of told.entries()) {
        cuts.push(await withMount(options.kind, `${disk}.${number}`, mounted, () => examine(options, path.join(mounted, 'work'), stdout)))
        rmSync(`${disk}.${number}`)
      }
      return cuts
    })
  } finally {
    rmSync(lab, { recursive: true })
  }
}

/** Copies the disk while the program runs; answers what it had told before each copy. */
async function runAndCut(options: CutOptions, folder: string, disk: string): Promise<string[]> {
  const { program, moments } = options
  makeChain(folder, cutWorkflow)
  await execute('sync', ['-f', folder])
  const child = startChain(folder, { program, under: moments === 'random' ? [] : slowRenames })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk) => (stdout += chunk))
  child.stderr.on('data', (chunk) => (stderr += chunk))
  const end = ended(child)
  const told: string[] = []
  const cut = async () => {
    const before = stdout
    await execute('cp', ['--reflink=always', disk, `${disk}.${told.length}`])
    told.push(before)
  }
  if (moments === 'reports') await cutAtReports(options, child, folder, cut)
  else await cutAtRandom(options, cut)
  if (moments !== 'random') for (const engine of childrenOf(child.pid as number)) killIfThere(engine)
  const { code } = await end
  if (moments !== 'random') return told
  await cut()
  if (code !== 0) throw new Error(`the run that is cut ended with ${code}: ${stderr}`)
  return told
}

async function cutAtRandom({ cuts, seed, reference }: CutOptions, cut: () => Promise<void>): Promise<void> {
  const random = seeded(seed)
  for (let number = 1; number < cuts; number++) {
    await wait(((random() * 2 * reference.seconds) / cuts) * 1000)
    await cut()
  }
}

const slowRenames = ['strace', '-qq', '-o', '/dev/null', '-e', 'trace=rename', '-e', 'inject=rename:delay_enter=40000']

async function cutAtReports({ cuts }: CutOptions, child: ChainProcess, folder: string, cut: () => Promise<void>): Promise<void> {
  const over = new AbortController()
  const writingOut = (async () => {
    while (!over.signal.aborted) {
      await execute('sync', ['-f', folder])
      await wait(15)
    }
  })()
  await new Promise<void>((resolve) => {
    let taken = 0
    let before: Promise<void> = Promise.resolve()
    child.stdout.on('data', (chunk: Buffer) => {
      if (!chunk.includes('"batch-finished"') || taken === cuts) return
      taken++
      before = before.then(cut)
      if (taken === cuts) resolve(before)
    })
    child.once('close', () => resolve(before))
  })
  over.abort()
  await writingOut
}

async function examine({ reference, program, converge }: CutOptions, folder: string, stdout: string): Promise<Cut> {
  const events = eventsOf(stdout)
  const broken = violations(folder, reference, events)
  if (!converge) return { told: events.length, broken, afterwards: [] }
  return { told: events.length, broken, afterwards: await nextRun(folder, reference, { program }) }
}

async function makeDisk(kind: FileSystem, file: string, size: string): Promise<void> {
  await execute('truncate', ['-s', size, file])
  await execute(`mkfs.${kind}`, ['-q', file])
}

async function withMount<Value>(kind: FileSystem, file: string, folder: string, work: () => Promise<Value>): Promise<Value> {
  await execute('mount', ['-t', kind, '-o', kind === 'xfs' ? 'loop,nouuid' : 'loop', file, folder])
  try {
    return await work()
  } finally {
    await unmounted(folder)
  }
}

/** Commands of a killed engine end a moment after it. */
async function unmounted(folder: string): Promise<void> {
  for (let left = 50; ; left--) {
    try {
      await execute('umount', [folder])
      return
    } catch (error) {
      if (left === 0) throw error
      await wait(50)
    }
  }
}
