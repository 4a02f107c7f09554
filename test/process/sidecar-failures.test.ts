import { expect, test } from 'vitest'
import { cellDigests } from '../support/cells.ts'
import { run } from '../support/dag.ts'
import { expectUndisturbed, fakeWorkspace } from '../support/fake.ts'
import { organismList } from '../support/workspace.ts'

const memory = 'if it was the kernel for want of memory (`dmesg` says so), take a smaller batch_size'
const setUp = 'engine and sidecar may be of different versions: run `npm run setup`'
const silence = 'if it was at work, give it longer with DAG_SIDECAR_SILENCE (seconds)'

/** How the sidecar's end is told, and what a person may do. */
const ends: readonly (readonly [does: string, mode: string, how: string, ...advice: string[]])[] = [
  ['sends a garbage frame', 'garbage-frame', 'broke the protocol: it sent a frame that is not JSON: "\\u0000{[}x"', setUp],
  [
    'announces a frame of 2 GB',
    'two-gigabytes',
    'broke the protocol: it announced a frame of 2147483648 bytes; at most 67108864 are read',
    setUp,
  ],
  [
    'sends half a frame and then the end of the stream',
    'half-a-frame',
    'closed its connection in the middle of a frame (10 of 100 bytes)',
    setUp,
  ],
  ['hangs', 'hangs', 'gave no sign of life for 2 s and was ended', silence],
  ['answers nothing but an unknown id', 'only-unknown-id', 'gave no sign of life for 2 s and was ended', silence],
  ['is killed by the kernel', 'killed', 'was ended by SIGKILL', memory],
  ['ends with 137', 'exit-137', 'ended with exit code 137', memory],
  ['dies after writing a shard, before answering', 'dies-after-writing', 'ended with exit code 1'],
]

test.for(ends)('a sidecar that %s once: the same run tries again and ends with the same results', async ([, mode, how]) => {
  const workspace = fakeWorkspace(mode, 1, 2)
  const { code, events, finished } = await run(workspace, workspace.env)
  expect([code, finished.outcome, finished.cells]).toEqual([0, 'done', { ran: 6, reused: 0, failed: 0 }])
  expect(events.flatMap((event) => (event.type === 'setup' ? [event.text] : []))).toContain(`the sidecar ${how}; attempt 2 of 3`)
  expect(workspace.started()).toHaveLength(2)
  await expectUndisturbed(workspace)
})

test.for(ends.filter(([, mode]) => mode !== 'only-unknown-id'))(
  'a sidecar that %s every time: a clear error after three attempts',
  async ([, mode, how, ...advice]) => {
    const workspace = fakeWorkspace(mode, Number.POSITIVE_INFINITY, 2)
    workspace.write('organisms/list.yaml', organismList(['alpha']))
    const { code, finished } = await run(workspace, workspace.env)
    expect([code, finished.outcome, finished.tasks]).toEqual([1, 'failed', { ran: 0, reused: 0, failed: 1 }])
    expect(finished.failure?.message).toBe([`the sidecar ${how}, in each of 3 attempts at this batch`, ...advice].join('\n'))
    expect(workspace.started()).toHaveLength(3)
    expect(cellDigests(workspace).size).toBe(0)
    expect(workspace.orphans()).toEqual([])
  },
)

test('no sidecar is started any more after two batches in a row that none survived', async () => {
  const workspace = fakeWorkspace('killed')
  const { code, events } = await run(workspace, workspace.env)
  expect(code).toBe(1)
  const text = `the sidecar was ended by SIGKILL, in each of 3 attempts at this batch\n${memory}`
  const messages = events.flatMap((event) => (event.type === 'task-failed' ? [event.message] : []))
  expect(messages).toEqual([text, text, 'not tried: the sidecar was given up after answers/beta/two failed'])
  expect(workspace.started()).toHaveLength(6)
  expect(workspace.orphans()).toEqual([])
})

test.for([
  [
    'dies before hello',
    'dies-before-hello',
    3,
    'the sidecar ended with exit code 1, in each of 3 attempts to start it\nits last words:\nImportError: libnothing.so: cannot open shared object file',
  ],
  ['hangs at hello', 'hangs-at-hello', 3, `the sidecar did not answer hello within 1 s, in each of 3 attempts to start it\n${silence}`],
  ['speaks another protocol', 'other-protocol', 1, `the sidecar cannot be used: it speaks protocol 7, this engine 1\n${setUp}`],
] as const)('a sidecar that %s is given up', async ([, mode, starts, message]) => {
  const workspace = fakeWorkspace(mode, Number.POSITIVE_INFINITY, 1)
  const { code, events, finished } = await run(workspace, workspace.env)
  expect([code, finished.outcome]).toEqual([1, 'failed'])
  expect(events.flatMap((event) => (event.type === 'task-failed' ? [event.message] : []))).toEqual([
    message,
    'not tried: the sidecar was given up after answers/alpha/two failed',
    'not tried: the sidecar was given up after answers/alpha/two failed',
  ])
  expect(workspace.started()).toHaveLength(starts)
  expect(workspace.orphans()).toEqual([])
})

test('a sidecar that cannot be started at all is tried once', async () => {
  const workspace = fakeWorkspace('behaves', 0)
  const { code, finished } = await run(workspace, { DAG_SIDECAR: 'no-such-program of mine' })
  expect([code, finished.failure?.message]).toEqual([
    1,
    'the sidecar cannot be started: spawn no-such-program ENOENT\nrun `npm run setup`, or mend DAG_PYTHON or DAG_SIDECAR if one of them is set',
  ])
})
