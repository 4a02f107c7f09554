import { chmodSync, closeSync, openSync, readSync, rmSync, statSync, utimesSync, writeSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { dag, plan, run, spawnDag } from '../support/dag.ts'
import { contrastSet, finishedWorkspace, freshWorkspace, type Workspace, workflowFile } from '../support/workspace.ts'

interface StoredCell {
  readonly object: string
  readonly offset: number
}

/** Where a cell of a task is stored. */
function stored(workspace: Workspace, task: string, cell: string): StoredCell {
  const db = new DatabaseSync(workspace.at('cache/index.db'), { readOnly: true })
  const row = db.prepare('SELECT slot FROM cells JOIN units ON units.id = unit WHERE task = ? AND cell = ?').get(task, cell) as {
    slot: string
  }
  db.close()
  return JSON.parse(row.slot) as StoredCell
}

function objectFile(workspace: Workspace, { object }: StoredCell): string {
  return workspace.at('cache/objects', object.slice(0, 2), object)
}

/** Flips the bits of one byte and leaves size and times as they were. */
function flipByte(file: string, offset: number): void {
  const { atime, mtime } = statSync(file)
  chmodSync(file, 0o644)
  const descriptor = openSync(file, 'r+')
  const byte = Buffer.alloc(1)
  readSync(descriptor, byte, 0, 1, offset)
  writeSync(descriptor, Buffer.from([(byte[0] as number) ^ 0xff]), 0, 1, offset)
  closeSync(descriptor)
  utimesSync(file, atime, mtime)
}

test('a flipped byte is noticed by the child that reads it; the object is made again before anything is built on it', async () => {
  const workspace = finishedWorkspace()
  const cell = stored(workspace, 'answers.capture/alpha/two', 'two_1@2')
  flipByte(objectFile(workspace, cell), cell.offset)
  workspace.write('traits/secret.json', contrastSet('secret', 'Do not tell anyone, but', 'The answer is this:'))
  const { events, finished } = await run(workspace)
  expect(events.filter((event) => event.type === 'object-lost')).toMatchObject([{ object: cell.object, cells: 4 }])
  expect(finished.outcome).toBe('done')
  expect((await plan(workspace)).cells.run).toBe(0)
  expect(stored(workspace, 'answers.capture/alpha/two', 'two_1@2').object).toBe(cell.object)
})

test('an object that is gone is made again, and nothing that was made from it', async () => {
  const workspace = finishedWorkspace()
  const cell = stored(workspace, 'answers.capture/alpha/two', 'two_1@2')
  rmSync(objectFile(workspace, cell), { force: true })
  expect((await plan(workspace)).reasons).toEqual([
    { stage: 'answers.capture', verdict: 'lost', tasks: 1, cells: 4, text: 'lost from the store', changes: [] },
  ])
  const { finished } = await run(workspace)
  expect(finished.cells).toEqual({ ran: 4, reused: 172, failed: 0 })
})

test('a lost index is rebuilt from the manifests and nothing runs', async () => {
  const workspace = finishedWorkspace()
  for (const suffix of ['', '-wal', '-shm']) rmSync(workspace.at(`cache/index.db${suffix}`), { force: true })
  expect((await plan(workspace)).cells).toEqual({ total: 176, run: 0, reuse: 176 })
})

test('a second engine on the same store is told who holds it', async () => {
  const workspace = freshWorkspace()
  const first = spawnDag(workspace.folder, ['run', '--ui', 'json', workflowFile])
  await new Promise<void>((resolve) => first.stdout.once('data', () => resolve()))
  const second = await dag(workspace.folder, ['run', workflowFile])
  first.kill('SIGKILL')
  await new Promise<void>((resolve) => first.once('close', () => resolve()))
  expect(second.code).toBe(2)
  expect(second.stderr).toMatch(new RegExp(`is in use by run \\S+, process ${first.pid} \\[locked\\]`))
})

test('a chain of commands stops where an output stays the same', async () => {
  const workspace = freshWorkspace()
  workspace.write(
    workflowFile,
    `workflow: chain
steps:
  a: { kind: command, run: "sort -u {in.text} > {out.sorted}", inputs: { text: ../in.txt }, outputs: { sorted: sorted.txt } }
  b: { kind: command, run: [cp, "{in.x}", "{out.copy}"], inputs: { x: { step: a, output: sorted } }, outputs: { copy: copy.txt } }
`,
  )
  workspace.write('in.txt', 'x\ny\n')
  expect((await run(workspace)).finished.tasks).toEqual({ ran: 2, reused: 0, failed: 0 })
  expect(workspace.read('experiments/chain/outputs/b/copy.txt')).toBe('x\ny\n')
  workspace.write('in.txt', 'y\nx\nx\n')
  const { finished } = await run(workspace)
  expect(finished.tasks).toEqual({ ran: 1, reused: 1, failed: 0 })
  expect(finished.unchangedAfterAll).toBe(1)
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
  workspace.edit(workflowFile, 'max_new_tokens: 6', 'max_new_tokens: 1000000000')
  const result = await dag(workspace.folder, ['run', workflowFile])
  expect(result.code).toBe(2)
  expect(result.stderr).toMatch(/error: the disk of \S+ is too small: [\d.]+ GB are free, [\d.]+ GB are needed/)
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
