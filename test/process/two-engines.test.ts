import { hostname } from 'node:os'
import { DatabaseSync } from 'node:sqlite'
import { writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { RunEvent } from '../../engine/core/events.ts'
import { dag, run } from '../support/dag.ts'
import { expectUndisturbed, type FakeWorkspace, fakeWorkspace } from '../support/fake.ts'
import { type Watched, watched } from '../support/watched.ts'
import { workflowFile } from '../support/workspace.ts'

/** A run that holds the store and works on its first batch until the test says so. */
async function holder(): Promise<{ workspace: FakeWorkspace; first: Watched }> {
  const workspace = fakeWorkspace('waits')
  const first = watched(workspace.folder, ['run', '--ui', 'json', workflowFile], workspace.env)
  await workspace.atWork()
  return { workspace, first }
}

const runOf = (text: string): string => (JSON.parse(text.split('\n')[0] as string) as { run: string }).run

const instant = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC`

test('the second engine is told who holds the store, how to watch it and how to stop it', async () => {
  const { workspace, first } = await holder()
  const { pid } = first.child
  const { code, stdout, stderr } = await dag(workspace.folder, ['run', workflowFile], workspace.env)
  expect([code, stdout]).toEqual([2, ''])
  const time = new RegExp(instant).exec(stderr)?.[0]
  expect(stderr).toBe(
    `error: the store ${workspace.at('cache')} is in use by run ${runOf(first.stdout())} of ${workflowFile}: process ${pid}, since ${time}, started as "dag run --ui json ${workflowFile}" [locked]
  hint: watch it with \`dag attach ${workflowFile}\`, wait for it, or stop it with \`kill ${pid}\` (finished work is kept)

1 error; nothing was started
`,
  )
  expect(Math.abs(Date.parse((time as string).replace(' UTC', 'Z')) - Date.now())).toBeLessThan(60_000)
  workspace.goOn()
  expect(await first.end).toEqual({ code: 0, signal: null })
  expect(workspace.started()).toHaveLength(1)
})

test('the second engine is told also while the first writes to the index', async () => {
  const { workspace, first } = await holder()
  const index = new DatabaseSync(workspace.at('cache/index.db'))
  index.exec('BEGIN EXCLUSIVE')
  const started = performance.now()
  const { code, stderr } = await dag(workspace.folder, ['run', '--ui', 'plain', workflowFile], workspace.env)
  index.exec('ROLLBACK')
  index.close()
  expect([code, stderr.split(':')[0]]).toEqual([2, 'error'])
  expect(stderr).toContain('[locked]')
  expect(performance.now() - started).toBeLessThan(9_000)
  workspace.goOn()
  expect((await first.end).code).toBe(0)
})

test('after kill -9 of the first engine the second takes the store at once and comes to the same results', async () => {
  const { workspace, first } = await holder()
  first.child.kill('SIGKILL')
  expect((await first.end).signal).toBe('SIGKILL')
  workspace.goOn()
  const { finished } = await run(workspace, workspace.env)
  expect([finished.outcome, finished.cells]).toEqual(['done', { ran: 6, reused: 0, failed: 0 }])
  await expectUndisturbed(workspace)
})

test('a holder that has not said who it is, and a dead one that has, are told apart from a living one', async () => {
  const workspace = fakeWorkspace('behaves', 0)
  await run(workspace, workspace.env)
  const lock = new DatabaseSync(workspace.at('cache/lock.db'))
  lock.exec('BEGIN EXCLUSIVE')
  const dead = {
    what: 'run x of y',
    run: 'x',
    pid: process.pid,
    host: hostname(),
    boot: 'before',
    started: '1',
    since: 0,
    command: 'dag run y',
  }
  for (const owner of ['', '{"half', JSON.stringify(dead)]) {
    writeFileSync(workspace.at('cache/lock.db.owner'), owner)
    const { code, stderr } = await dag(workspace.folder, ['run', '--store', workspace.at('cache'), '--ui', 'json', 'workflows/other.yaml'])
    expect([code, stderr.split('\n').slice(0, 2)]).toEqual([
      2,
      [`error: the store ${workspace.at('cache')} is in use by an engine that has not said who it is [locked]`, '  hint: wait for it'],
    ])
  }
  lock.exec('ROLLBACK')
  lock.close()
  expect((await dag(workspace.folder, ['run', workflowFile], workspace.env)).code).toBe(0)
})

test('attach shows the run from its start to its end, with its exit code; ending it leaves the run alone', async () => {
  const { workspace, first } = await holder()
  const left = watched(workspace.folder, ['attach', '--ui', 'json', workflowFile])
  await left.says('"adapter-on"')
  left.child.kill('SIGINT')
  expect((await left.end).signal).toBe('SIGINT')

  const attached = watched(workspace.folder, ['attach', '--ui', 'json', workflowFile])
  const lines = watched(workspace.folder, ['attach', workflowFile])
  await attached.says('"adapter-on"')
  await lines.says('adapter on: alpha')
  workspace.goOn()
  expect([(await first.end).code, (await attached.end).code, (await lines.end).code]).toEqual([0, 0, 0])
  const events = (text: string) =>
    text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as RunEvent)
  expect(events(attached.stdout())).toEqual(events(first.stdout()).filter(({ type }) => type !== 'log'))
  expect(lines.stdout()).toContain('answers/gamma/two  done: 2 cells')
  expect(lines.stderr()).toMatch(
    new RegExp(
      `^run ${runOf(first.stdout())} of ${workflowFile}: process ${first.child.pid}, since ${instant}, started as .*\nthe run is done\n$`,
    ),
  )
})

test('attach ends when the run it watches is killed, and says how to go on', async () => {
  const { workspace, first } = await holder()
  const attached = watched(workspace.folder, ['attach', workflowFile])
  await attached.says('adapter on: alpha')
  first.child.kill('SIGKILL')
  expect(await attached.end).toEqual({ code: 1, signal: null })
  expect(attached.stderr().split('\n').at(-2)).toBe(
    `process ${first.child.pid} ended before its run did; go on with: dag run ${workflowFile}`,
  )
})

test('attach without a run says so', async () => {
  const workspace = fakeWorkspace('behaves', 0)
  await run(workspace, workspace.env)
  const { code, stderr } = await dag(workspace.folder, ['attach', workflowFile])
  expect([code, stderr]).toEqual([
    2,
    `error: no run holds the store ${workspace.at('cache')} [no-run]\n  hint: start one with \`dag run ${workflowFile}\`\n\n1 error; nothing was started\n`,
  ])
})
