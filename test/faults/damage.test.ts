import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { dag } from '../support/dag.ts'
import { type Outcome, outcomeOf, violations } from './invariants.ts'
import { lacking } from './needs.ts'
import { seeded } from './random.ts'
import { inject, listCalls } from './strace.ts'
import { chain, chainFile, chainFolder, copyOf, makeChain, runChain, undisturbed } from './workload.ts'

/** The chain with steps that read every result of it, so that whatever is damaged is used. */
const readers = ['words: sorted', 'ends: head', 'ends: tail', 'copy: copy', 'big: big'].map((text) => {
  const [step, output] = text.split(': ')
  return `  read-${output}: { kind: command, run: [cp, "{in.x}", "{out.o}"], inputs: { x: { step: ${step}, output: ${output} } }, outputs: { o: ${output} } }\n`
})
const withReaders = chain + readers.join('')

/** What can happen to bytes on a disk. */
const damages = {
  truncated: (bytes: Buffer) => bytes.subarray(0, bytes.length >> 1),
  flipped: (bytes: Buffer) => flipped(bytes, bytes.length >> 1, 0),
  zeroed: (bytes: Buffer) => Buffer.alloc(bytes.length),
  replaced: (bytes: Buffer) => Buffer.alloc(bytes.length, 'something else\n'),
} as const
type Damage = keyof typeof damages
const kinds = Object.keys(damages) as Damage[]

function flipped(bytes: Buffer, at: number, bit: number): Buffer {
  const copy = Buffer.from(bytes)
  copy.writeUInt8(copy.readUInt8(at) ^ (1 << bit), at)
  return copy
}

/** In place and with the times kept. */
function overwrite(file: string, bytes: Buffer): void {
  const { atime, mtime } = statSync(file)
  truncateSync(file, bytes.length)
  writeFileSync(file, bytes, { flag: 'r+' })
  utimesSync(file, atime, mtime)
}

const damage = (file: string, kind: Damage) => overwrite(file, damages[kind](readFileSync(file)))

let done = ''
let reference: Outcome
beforeAll(async () => {
  reference = await undisturbed(withReaders)
  done = mkdtempSync(path.join(tmpdir(), 'damage-'))
  makeChain(done)
  await runChain(done)
  await runChain(done)
})
afterAll(() => rmSync(done, { recursive: true }))

/** A copy of the finished chain, to be damaged. */
const finished = () => copyOf(done)

const filesBelow = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(path.join(folder, name)).isFile())
    .sort()
    .map((name) => path.join(folder, name))

/** Cells that are not as an undisturbed run leaves them. Those that were made again may lie in other manifests. */
function wrongCells(folder: string): string[] {
  const { cells } = outcomeOf(folder)
  return [...reference.cells].flatMap(([key, digest]) => (cells.get(key) === digest ? [] : [`cell ${key} is not right`]))
}

/**
 * A run with the readers on a damaged store ends well with the right results, or says what is damaged and what to do.
 * With that done, the next one ends well, and the store is whole.
 */
async function expectMended(folder: string): Promise<void> {
  writeFileSync(path.join(folder, chainFile), withReaders)
  const run = await runChain(folder)
  if (run.code !== 0) {
    const told = `${run.stderr}${run.finished?.failure?.message ?? ''}`
    expect(told).toContain('the index is damaged')
    expect(told).toContain('run `dag verify`')
    expect(told).not.toMatch(/^ {4}at /m)
  } else expect(outcomeOf(folder).shown).toEqual(reference.shown)
  expect([0, 1]).toContain((await dag(folder, ['verify'])).code)
  const next = await runChain(folder)
  expect([next.code, next.stderr]).toEqual([0, ''])
  expect(outcomeOf(folder).shown).toEqual(reference.shown)
  expect([...wrongCells(folder), ...violations(folder, reference, next.events)]).toEqual([])
}

describe.each(kinds)('%s', (kind) => {
  test.for([0, 1, 2, 3])('object %i is made again before anything is built on it', async (number) => {
    const folder = finished()
    damage(filesBelow(path.join(folder, 'cache/objects'))[number] as string, kind)
    await expectMended(folder)
  })

  test('a manifest: what it alone told of is made again when the index is lost as well', async () => {
    const folder = finished()
    damage(filesBelow(path.join(folder, 'cache/manifests'))[0] as string, kind)
    for (const suffix of ['', '-wal', '-shm']) rmSync(path.join(folder, `cache/index.db${suffix}`), { force: true })
    await expectMended(folder)
  })

  test('the index as a whole', async () => {
    const folder = finished()
    damage(path.join(folder, 'cache/index.db'), kind)
    await expectMended(folder)
  })
})

const pageSize = 4096

describe('a page of the index', () => {
  test.for(['zeroed', 'replaced'] as const)('each page, %s', { timeout: 480_000 }, async (kind) => {
    const pages = statSync(path.join(done, 'cache/index.db')).size / pageSize
    expect(pages).toBeGreaterThan(10)
    for (let page = 0; page < pages; page++) {
      const folder = finished()
      const file = path.join(folder, 'cache/index.db')
      const bytes = readFileSync(file)
      damages[kind](bytes.subarray(page * pageSize, (page + 1) * pageSize)).copy(bytes, page * pageSize)
      overwrite(file, bytes)
      await expectMended(folder)
    }
  })

  test.for([1, 2, 3, 4])('a bit flipped in each page, round %i', { timeout: 480_000 }, async (round) => {
    const random = seeded(round)
    const whole = readFileSync(path.join(done, 'cache/index.db'))
    for (let page = 0; page < whole.length / pageSize; page++) {
      const used = [...whole.subarray(page * pageSize, (page + 1) * pageSize).keys()].filter((at) => whole[page * pageSize + at] !== 0)
      if (used.length === 0) continue
      const at = page * pageSize + (used[Math.floor(random() * used.length)] as number)
      const folder = finished()
      overwrite(path.join(folder, 'cache/index.db'), flipped(whole, at, Math.floor(random() * 8)))
      await expectMended(folder)
    }
  })
})

const lackOfStrace = lacking('damage to the write-ahead log', { programs: ['strace'] })

test.skipIf(lackOfStrace).for(kinds)('the write-ahead log of a killed run, %s: what it told of is made again', async (kind) => {
  const last = (await listCalls(chainFolder(), ['unlink'])).find(({ file }) => file === 'cache/index.db-shm')
  const folder = chainFolder()
  const run = await inject(folder, { name: 'unlink', when: last?.when ?? 0, what: 'signal=KILL' })
  expect(run.signal).toBe('SIGKILL')
  const log = path.join(folder, 'cache/index.db-wal')
  expect(statSync(log).size).toBeGreaterThan(10 * pageSize)
  damage(log, kind)
  await expectMended(folder)
})

const lackOfRoot = lacking('bit rot behind the file system', { root: true, programs: ['mount', 'mkfs.ext4'] })

test.skipIf(lackOfRoot)('bits that change on the disk itself are found: what they are in is made again', async () => {
  const lab = mkdtempSync(path.join(tmpdir(), 'rot-'))
  const [image, folder] = [path.join(lab, 'disk'), path.join(lab, 'mounted')]
  onTestFinished(() => {
    execFileSync('umount', [folder])
    rmSync(lab, { recursive: true })
  })
  execFileSync('truncate', ['-s', '64M', image])
  execFileSync('mkfs.ext4', ['-q', image])
  execFileSync('mkdir', [folder])
  execFileSync('mount', ['-o', 'loop', image, folder])
  cpSync(done, folder, { recursive: true, preserveTimestamps: true })
  execFileSync('umount', [folder])
  const disk = readFileSync(image)
  const found = places(disk, Buffer.from('apple\nfig\npear\n'))
  expect(found.length).toBeGreaterThan(0)
  for (const at of found) disk.writeUInt8(disk.readUInt8(at) ^ 1, at)
  writeFileSync(image, disk)
  execFileSync('mount', ['-o', 'loop', image, folder])
  rmSync(path.join(folder, 'experiments'), { recursive: true })
  await expectMended(folder)
})

function places(bytes: Buffer, text: Buffer): number[] {
  const found: number[] = []
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1)) found.push(at)
  return found
}
