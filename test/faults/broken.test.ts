import { execFileSync } from 'node:child_process'
import path from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { root } from '../support/paths.ts'
import { type Outcome, violations } from './invariants.ts'
import { lacking } from './needs.ts'
import { cutPower, cutWorkflow, type FileSystem, fileSystems, type Moments, needsOf } from './power-cut.ts'
import { inject, listCalls } from './strace.ts'
import { chainFolder, undisturbed } from './workload.ts'

/** Commits that are wrong on purpose, each in place of a module of the store. A suite that lets one pass proves nothing. */
const broken = {
  'no-sync': 'engine/store/files/sync.ts',
  'no-folder-sync': 'engine/store/files/sync.ts',
  'index-first': 'engine/store/files/commit.ts',
} as const
type Broken = keyof typeof broken

const folderOf = (name: Broken) => path.join('dist', 'faults', name)
const programOf = (name: Broken) => path.join(root, folderOf(name), 'dag.mjs')

beforeAll(() => {
  for (const [name, module] of Object.entries(broken)) {
    const replace = `${module}=test/faults/broken/${name}.ts`
    execFileSync(process.execPath, ['scripts/build.mjs', '--out', folderOf(name as Broken), '--replace', replace], { cwd: root })
  }
})

let reference: Outcome & { readonly seconds: number }
beforeAll(async () => {
  reference = await undisturbed(cutWorkflow)
})

async function brokenBy(name: Broken, kind: FileSystem, moments: Moments): Promise<string[]> {
  const cuts = await cutPower({ kind, cuts: 24, moments, seed: 6, reference, program: programOf(name), converge: false })
  return [...new Set(cuts.flatMap((cut) => cut.broken.map((line) => line.slice(0, 2))))].sort()
}

describe.each(fileSystems)('power cuts on %s', (kind) => {
  const lack = lacking(`broken commits on ${kind}`, needsOf(kind))

  test.skipIf(lack)('tell a commit that syncs nothing', async () => {
    expect(await brokenBy('no-sync', kind, 'random')).toContain('I1')
  })

  test.skipIf(lack)('tell a commit that enters the index first', async () => {
    expect(await brokenBy('index-first', kind, 'slow renames')).toContain('I1')
  })

  test.skipIf(lack)(kind === 'btrfs' ? 'tell a commit that syncs no folder' : 'cannot tell a commit that syncs no folder', async () => {
    expect((await brokenBy('no-folder-sync', kind, 'reports')).includes('I1')).toBe(kind === 'btrfs')
  })
})

const lack = lacking('broken commits under kill -9', { programs: ['strace'] })

test.skipIf(lack)('kill -9 tells a commit that enters the index first', async () => {
  const program = programOf('index-first')
  const outcome = await undisturbed()
  const renames = (await listCalls(chainFolder(), ['rename'], program)).filter(({ file }) => file.startsWith('cache/staging'))
  const found: string[] = []
  for (const { name, when } of renames) {
    const folder = chainFolder()
    const killed = await inject(folder, { name, when, what: 'signal=KILL' }, program)
    expect(killed.signal).toBe('SIGKILL')
    found.push(...violations(folder, outcome, killed.events).map((line) => line.slice(0, 2)))
  }
  expect(found).toContain('I1')
})
