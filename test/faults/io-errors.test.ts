import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { violations } from './invariants.ts'
import { lacking } from './needs.ts'
import { type Call, inject, listCalls } from './strace.ts'
import { chainFolder, makeChain, nextRun, told, undisturbed } from './workload.ts'

const lack = lacking('errors of calls', { programs: ['strace'] })

/** Each kind of error, at which calls, and how many calls of one kind on one kind of file are tried. */
const faults = [
  { error: 'ENOSPC', calls: ['write', 'pwrite64'], each: 6 },
  { error: 'ENOSPC', calls: ['openat', 'mkdir', 'copy_file_range'], each: 1 },
  { error: 'EIO', calls: ['write', 'pwrite64', 'rename', 'read', 'pread64', 'ftruncate', 'unlink', 'rmdir'], each: 1 },
  { error: 'EIO', calls: ['fsync'], each: 3 },
  { error: 'EROFS', calls: ['openat', 'mkdir', 'rename', 'unlink'], each: 1 },
] as const

async function callsOfOneRun(): Promise<Call[]> {
  const folder = mkdtempSync(path.join(tmpdir(), 'dag-'))
  try {
    makeChain(folder)
    return await listCalls(folder, [...new Set(faults.flatMap(({ calls }) => calls))])
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** What kind of file it is: files that are written alike are one kind. */
function kindOf({ name, file }: Call): string {
  const alike = file
    .replaceAll(/\d{8}-\d{6}-[0-9a-f]+|[0-9a-f]{64}/g, '…')
    .replace(/objects\/[0-9a-f]{2}/, 'objects/…')
    .replace(/(staging\/…)\/\d+/, '$1/…')
    .replace(/(outputs)\/\w+(\/[\w.]+?(\.tmp)?$)?/, '$1/…$3')
  return `${name} ${alike}`
}

const reference = lack ? null : await undisturbed()
const listed = lack ? [] : await callsOfOneRun()
const points = faults.flatMap(({ error, calls, each }) => {
  const tried = new Map<string, number>()
  return listed.flatMap((call) => {
    if (!(calls as readonly string[]).includes(call.name)) return []
    const kind = kindOf(call)
    tried.set(kind, (tried.get(kind) ?? 0) + 1)
    return (tried.get(kind) as number) > each ? [] : [[`${error} at ${kind}`, error, call] as const]
  })
})

/** Counts of calls differ a little from run to run: a fault that struck outside the workspace is tried beside. */
async function strike(error: string, { name, when }: Call) {
  for (const shift of [0, 0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5]) {
    const folder = chainFolder()
    const run = await inject(folder, { name, when: when + shift, what: `error=${error}` })
    if (run.at) return { folder, run }
  }
  return null
}

describe.skipIf(lack)('an error of the system is told clearly or mended, damages nothing, and the next run goes on', () => {
  test.for(points)('%s', async ([, error, call], { skip }) => {
    if (!reference) throw new Error('there is nothing to compare with')
    const struck = await strike(error, call)
    if (!struck) return skip('the fault struck the program itself each time, never its files')
    const { folder, run } = struck
    expect([0, 1, 2, 75]).toContain(run.code)
    expect(violations(folder, reference, run.events)).toEqual([])
    if (run.code === 0) expect(run.finished?.outcome).toBe('done')
    else {
      expect(told(run)).toMatch(/the disk (of \S+ )?(is full|fails|is read-only)|cannot be opened|cannot be read|is not a readable file/)
      expect(told(run)).not.toMatch(/^ {4}at /m)
    }
    // A cell whose object could not be read is made again by itself, in a batch of its own.
    expect(await nextRun(folder, reference, {}, ['cells', 'made', 'shown'])).toEqual([])
  })
})
