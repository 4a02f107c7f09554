import { execFileSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import type { RunEvent } from '../../engine/core/events.ts'
import { cellDigests } from '../support/cells.ts'
import { dag } from '../support/dag.ts'
import { type FakeWorkspace, fakeWorkspace } from '../support/fake.ts'
import { watched } from '../support/watched.ts'
import { workflowFile } from '../support/workspace.ts'

const mayMount = process.getuid?.() === 0
if (!mayMount) process.stdout.write('the tests of a full disk are left out: a small disk can only be mounted by root\n')

/** Puts a disk of its own under the workspace's store. It is taken away after the test. */
function smallDisk(workspace: FakeWorkspace, options: string): void {
  const folder = workspace.at('cache')
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder])
  onTestFinished(() => void execFileSync('umount', [folder]))
}

const eventsOf = (stdout: string) =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as RunEvent)

test.skipIf(!mayMount)(
  'a disk that fills up while a run goes on: dispatch stops, what runs is kept, 75; the next run goes on',
  async () => {
    const workspace = fakeWorkspace('waits')
    smallDisk(workspace, 'size=20m')
    const running = watched(workspace.folder, ['run', '--ui', 'plain', '--keep-free', '8MB', workflowFile], workspace.env)
    await workspace.atWork()
    writeFileSync(workspace.at('cache/filler'), Buffer.alloc(14e6))
    workspace.goOn()
    expect(await running.end).toEqual({ code: 75, signal: null })
    const reason = String.raw`the disk of ${workspace.at('cache')} has \d\.\d MB free; the next batches may take \d+ B and 8\.0 MB are kept free \(--keep-free\): free some room, then run again`
    expect(running.stdout()).toMatch(new RegExp(`  stopping, since ${reason}: what runs is finished first; ctrl-c ends it now\n`))
    expect(running.stdout()).toMatch(
      new RegExp(`\nstopped after .*\n[^]*\nstopped, since ${reason}\n\ngo on with: dag run ${workflowFile}\n$`),
    )
    expect(cellDigests(workspace).size).toBe(2)

    const refused = await dag(workspace.folder, ['run', '--keep-free', '8MB', workflowFile], workspace.env)
    expect(refused.code).toBe(2)
    expect(refused.stderr).toMatch(
      /^error: the disk of \S+ is too small: \d\.\d MB are free, 8\.0 MB are needed \([\d.]+ k?B of results and 8\.0 MB in reserve\) \[disk-full\]\n/,
    )

    rmSync(workspace.at('cache/filler'))
    const { code, stdout } = await dag(workspace.folder, ['run', '--ui', 'json', '--keep-free', '8MB', workflowFile], workspace.env)
    expect([code, eventsOf(stdout).at(-1)]).toMatchObject([0, { outcome: 'done', cells: { ran: 4, reused: 2, failed: 0 } }])
  },
)

test.skipIf(!mayMount)('a disk that has no room for more files stops a run in the same way', async () => {
  const workspace = fakeWorkspace('waits')
  smallDisk(workspace, 'size=100m,nr_inodes=600')
  const running = watched(workspace.folder, ['run', '--ui', 'json', '--keep-free', '0', workflowFile], workspace.env)
  await workspace.atWork()
  mkdirSync(workspace.at('cache/filler'))
  for (let file = 0; file < 400; file++) writeFileSync(workspace.at('cache/filler', `${file}`), '')
  workspace.goOn()
  expect((await running.end).code).toBe(75)
  const last = eventsOf(running.stdout()).at(-1)
  if (last?.type !== 'run-finished') throw new Error('the run did not end with its last event')
  expect([last.outcome, last.cells]).toEqual(['stopped', { ran: 2, reused: 0, failed: 0 }])
  expect(last.because).toMatch(/ has room for \d+ more files, and 256 are kept free: free some room, then run again$/)
  rmSync(workspace.at('cache/filler'), { recursive: true })
  expect((await dag(workspace.folder, ['run', '--keep-free', '0', workflowFile], workspace.env)).code).toBe(0)
  expect(cellDigests(workspace).size).toBe(6)
})

test.skipIf(!mayMount)(
  'a disk that is full to the last byte in the middle of a run: a clear end with 75, and the next run goes on',
  async () => {
    const workspace = fakeWorkspace('waits')
    smallDisk(workspace, 'size=20m')
    const running = watched(workspace.folder, ['run', '--ui', 'json', '--keep-free', '0', workflowFile], workspace.env)
    await workspace.atWork()
    fill(workspace.at('cache/filler'))
    workspace.goOn()
    expect((await running.end).code).toBe(75)
    const last = eventsOf(running.stdout()).at(-1)
    if (last?.type !== 'run-finished') throw new Error('the run did not end with its last event')
    expect([last.outcome, last.failure]).toEqual(['stopped', null])
    expect(last.because).toMatch(/^the disk of \S+ is full \(0 B free\): .*; free some room, then run again$/)
    expect(running.stderr()).toBe('')

    const refused = await dag(workspace.folder, ['run', '--keep-free', '0', workflowFile], workspace.env)
    expect([refused.code, refused.stderr.split('\n')[0]]).toEqual([
      2,
      expect.stringMatching(/^error: the disk of \S+ is full: .*database or disk is full \[disk-full\]$/),
    ])
    rmSync(workspace.at('cache/filler'))
    expect((await dag(workspace.folder, ['run', '--keep-free', '0', workflowFile], workspace.env)).code).toBe(0)
    expect(cellDigests(workspace).size).toBe(6)
  },
)

test('a full disk that the sidecar meets while it writes stops the run with 75, and nothing counts as failed', async () => {
  const workspace = fakeWorkspace('disk-full', 1)
  const { code, stdout } = await dag(workspace.folder, ['run', '--ui', 'json', workflowFile], workspace.env)
  expect([code, eventsOf(stdout).at(-1)]).toMatchObject([
    75,
    { outcome: 'stopped', failure: null, tasks: { ran: 0, reused: 0, failed: 0 }, cells: { ran: 0, reused: 0, failed: 0 } },
  ])
  expect(eventsOf(stdout).filter(({ type }) => type === 'task-failed')).toEqual([])
  expect((await dag(workspace.folder, ['run', workflowFile], workspace.env)).code).toBe(0)
})

/** Leaves no byte free. */
function fill(file: string): void {
  const descriptor = openSync(file, 'w')
  expect(() => {
    for (;;) writeSync(descriptor, Buffer.alloc(4096))
  }).toThrow('ENOSPC')
  closeSync(descriptor)
}
