import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { violations } from './invariants.ts'
import { lacking } from './needs.ts'
import { cutWorkflow } from './power-cut.ts'
import { ended, eventsOf, makeChain, nextRun, told, runChain, startChain, undisturbed } from './workload.ts'

const lack = lacking('full disks', { root: true, programs: ['mount'] })
const lackOfExt4 = lacking('a disk that becomes read-only', { root: true, programs: ['mount', 'mkfs.ext4'] })

const reference = lack ? null : await undisturbed()

/** A file system of its own with the chain in it, gone after the test. */
function mounted(type: string, options: string, source: string, workflow?: string): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'disk-'))
  execFileSync('mount', ['-t', type, '-o', options, source, folder])
  onTestFinished(() => {
    execFileSync('umount', [folder])
    rmSync(folder, { recursive: true })
  })
  makeChain(folder, workflow)
  return folder
}

describe.skipIf(lack)('a disk that fills up is told of, damages nothing, and with room the next run goes on', () => {
  const kibibytes = Array.from({ length: 14 }, (_each, index) => (index + 1) * 64)

  test.for(kibibytes)('a disk of %i KiB', async (size) => {
    if (!reference) throw new Error('there is nothing to compare with')
    const folder = mounted('tmpfs', `size=${size}k`, 'none')
    const run = await runChain(folder)
    expect(violations(folder, reference, run.events)).toEqual([])
    expect([1, 2, 75]).toContain(run.code)
    expect(told(run)).toMatch(/the disk (of \S+ )?is full/)
    expect(run.stderr).not.toMatch(/^ {4}at /m)
    execFileSync('mount', ['-o', 'remount,size=16m', folder])
    expect(await nextRun(folder, reference)).toEqual([])
  })

  test.for([12, 16, 20, 24, 28, 32, 36, 40, 44])('a disk with room for %i files', async (inodes) => {
    if (!reference) throw new Error('there is nothing to compare with')
    const folder = mounted('tmpfs', `size=16m,nr_inodes=${inodes}`, 'none')
    const run = await runChain(folder)
    expect(violations(folder, reference, run.events)).toEqual([])
    expect([1, 2, 75]).toContain(run.code)
    expect(told(run)).toMatch(/the disk (of \S+ )?(is full|has room for)|cannot be opened/)
    expect(run.stderr).not.toMatch(/^ {4}at /m)
    execFileSync('mount', ['-o', 'remount,nr_inodes=4096', folder])
    expect(await nextRun(folder, reference)).toEqual([])
  })
})

test.skipIf(lackOfExt4)('a disk that becomes read-only in the middle of a run is told of; what was reported is there', async () => {
  const image = path.join(mkdtempSync(path.join(tmpdir(), 'image-')), 'disk')
  onTestFinished(() => rmSync(path.dirname(image), { recursive: true }))
  execFileSync('truncate', ['-s', '64M', image])
  execFileSync('mkfs.ext4', ['-q', image])
  const folder = mounted('ext4', 'loop', image, cutWorkflow)
  execFileSync('sync', ['-f', folder])
  const whole = await undisturbed(cutWorkflow)
  const child = startChain(folder)
  let stdout = ''
  let stderr = ''
  let readOnly = false
  child.stdout.on('data', (chunk) => {
    stdout += chunk
    if (readOnly || !stdout.includes('"batch-finished"')) return
    readOnly = true
    execFileSync('mount', ['-o', 'remount,abort', folder])
  })
  child.stderr.on('data', (chunk) => (stderr += chunk))
  const { code } = await ended(child)
  expect([code, stderr]).toEqual([1, expect.any(String)])
  expect(stderr).toMatch(/the disk is read-only|the disk fails/)
  expect(stderr).not.toMatch(/^ {4}at /m)
  execFileSync('umount', [folder])
  execFileSync('mount', ['-t', 'ext4', '-o', 'loop', image, folder])
  expect(violations(folder, whole, eventsOf(stdout))).toEqual([])
  expect(await nextRun(folder, whole)).toEqual([])
})
