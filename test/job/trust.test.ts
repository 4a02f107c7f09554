import { rmSync, statSync, utimesSync } from 'node:fs'
import { expect, test } from 'vitest'
import { dag, plan, run } from '../support/dag.ts'
import { objectFile, stored } from '../support/stored.ts'
import { finishedWorkspace, freshWorkspace, workflowFile } from '../support/workspace.ts'

test('an object that is gone is made again, and nothing that was made from it', async () => {
  const workspace = finishedWorkspace()
  const cell = stored(workspace, 'answers.capture/alpha/two', 'two_1@2')
  rmSync(objectFile(workspace, cell), { force: true })
  expect((await plan(workspace)).reasons).toEqual([
    {
      text: 'object lost: 2 recordings',
      type: 'gone',
      subject: 'object',
      of: null,
      what: [{ name: cell.object, place: null }],
      tasks: 1,
      cells: 4,
      counts: { recordings: { sure: 2, may: 0 } },
    },
  ])
  const { finished } = await run(workspace)
  expect(finished.cells).toEqual({ ran: 4, reused: 178, failed: 0 })
})

test('a lost index is rebuilt from the manifests and nothing runs', async () => {
  const workspace = finishedWorkspace()
  for (const suffix of ['', '-wal', '-shm']) rmSync(workspace.at(`cache/index.db${suffix}`), { force: true })
  expect((await plan(workspace)).cells).toEqual({ total: 182, run: 0, reuse: 182 })
})

test('a command that fails says so with its log, and what depends on it is not run', async () => {
  const workspace = freshWorkspace()
  workspace.write(
    workflowFile,
    `workflow: chain
steps:
  a: { kind: command, run: "echo no room >&2; exit 3", outputs: { o: o.txt } }
  b: { kind: command, run: [cp, "{in.x}", "{out.o}"], inputs: { x: { step: a, output: o } }, outputs: { o: o.txt } }
`,
  )
  const result = await dag(workspace.folder, ['run', workflowFile])
  expect(result.code).toBe(1)
  expect(result.stdout).toContain('failure: a\n  the shell command ended with exit code 3\n')
  expect(result.stdout).toContain('no room')
  expect(result.stdout).toContain(`dag run ${workflowFile}`)
})

test('a store too small is refused before anything is started, with the room that is there and the room that is needed', async () => {
  const workspace = finishedWorkspace()
  workspace.edit(workflowFile, 'max_new_tokens: 6', 'max_new_tokens: 7')
  const result = await dag(workspace.folder, ['run', '--keep-free', '900TB', workflowFile])
  expect(result.code).toBe(2)
  expect(result.stderr).toMatch(
    /error: the disk of \S+ is too small: [\d.]+ GB are free, 900 TB are needed \(2.3 MB of results and 900 TB in reserve\)/,
  )
})

test('the shortcut of a run with nothing to do sees a changed input, a lost object, a lost result and an edited one', async () => {
  const workspace = freshWorkspace()
  workspace.write(
    workflowFile,
    `workflow: chain
steps:
  a: { kind: command, run: "sort -u {in.text} > {out.sorted}", inputs: { text: ../in.txt }, outputs: { sorted: sorted.txt } }
`,
  )
  const result = 'experiments/chain/outputs/a/sorted.txt'
  const ran = async () => (await run(workspace)).finished.tasks.ran
  workspace.write('in.txt', 'y\nx\n')
  const { mtime } = statSync(workspace.at('in.txt'))
  expect([await ran(), await ran(), await ran()]).toEqual([1, 0, 0])

  utimesSync(workspace.at('in.txt'), new Date(), new Date())
  expect(await ran()).toBe(0)

  rmSync(workspace.at(result))
  expect([await ran(), workspace.read(result)]).toEqual([0, 'x\ny\n'])

  rmSync(objectFile(workspace, stored(workspace, 'a', 'sorted')), { force: true })
  expect([await ran(), await ran()]).toEqual([1, 0])

  workspace.write('in.txt', 'z\nw\n')
  utimesSync(workspace.at('in.txt'), mtime, mtime)
  expect([await ran(), workspace.read(result)]).toEqual([1, 'w\nz\n'])

  workspace.write(result, 'edited\n')
  expect([await ran(), workspace.read(result), workspace.read(`${result}.edited-1`)]).toEqual([0, 'w\nz\n', 'edited\n'])
})

test('an output that is added to a command, or whose object is gone, is made without touching the others', async () => {
  const workspace = freshWorkspace()
  const outputs = (list: string) => `workflow: chain
steps:
  a: { kind: command, run: "date +%N | tee out/one.txt > out/two.txt", outputs: { ${list} } }
`
  workspace.write(workflowFile, outputs('one: one.txt'))
  await run(workspace)
  const one = stored(workspace, 'a', 'one')
  workspace.write(workflowFile, outputs('one: one.txt, two: two.txt'))
  expect((await run(workspace)).finished.cells).toEqual({ ran: 1, reused: 1, failed: 0 })
  expect(stored(workspace, 'a', 'one')).toEqual(one)
  rmSync(objectFile(workspace, stored(workspace, 'a', 'two')), { force: true })
  expect((await run(workspace)).finished.cells).toEqual({ ran: 1, reused: 1, failed: 0 })
  expect(stored(workspace, 'a', 'one')).toEqual(one)
})
