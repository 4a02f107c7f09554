import { spawn } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { cellDigests } from '../support/cells.ts'
import { dag, program, run, runUntil } from '../support/dag.ts'
import { type FakeWorkspace, fakeWorkspace, pythonWorkspace } from '../support/fake.ts'
import { python } from '../support/paths.ts'
import { isAlive } from '../support/processes.ts'
import { organismList, workflowFile } from '../support/workspace.ts'

let known: Promise<Map<string, string>> | undefined

/** What every run comes to in the end, whatever the sidecar did. */
function undisturbed(): Promise<Map<string, string>> {
  known ??= (async () => {
    const workspace = fakeWorkspace('behaves', 0)
    await run(workspace, workspace.env)
    return cellDigests(workspace)
  })()
  return known
}

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
  await expectNothingLeft(workspace)
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

test.for([
  ['answers twice', 'answers-twice', /^the sidecar answered request \d+, for which no answer is due; it is ignored$/],
  ['answers an unknown id', 'unknown-id', /^the sidecar answered request 999, for which no answer is due; it is ignored$/],
] as const)('a sidecar that %s: the answer nobody waits for is noted, the results are the same', async ([, mode, note]) => {
  const workspace = fakeWorkspace(mode)
  const { code, events } = await run(workspace, workspace.env)
  expect(code).toBe(0)
  const notes = events.flatMap((event) => (event.type === 'log' ? [event.text] : []))
  expect(notes).toHaveLength(3)
  for (const text of notes) expect(text).toMatch(note)
  await expectNothingLeft(workspace)
})

test('an answer that leaves cells out is no result', async () => {
  const workspace = fakeWorkspace('leaves-cells-out')
  const { code, finished } = await run(workspace, workspace.env)
  expect([code, finished.failure?.message]).toEqual([
    1,
    "the sidecar's answer to generate leaves out 2 of 2 cells, such as two_1; run `npm run setup`",
  ])
  expect(cellDigests(workspace).size).toBe(0)
})

test('a sidecar that ignores SIGTERM and the request to end is ended; the run is done', async () => {
  const workspace = fakeWorkspace('stays')
  const { code } = await run(workspace, workspace.env)
  expect(code).toBe(0)
  expect(workspace.asked().at(-1)).toBe('shutdown')
  await expectNothingLeft(workspace)
})

test('1 GB of stderr: memory and logs stay small, the last words are kept, the results are the same', async () => {
  const workspace = fakeWorkspace('floods', 1)
  const { code, peak } = await measured(workspace)
  expect(code).toBe(0)
  expect(peak).toBeLessThan(400e6)
  const [runId] = readdirSync(workspace.at('cache/runs')) as [string]
  const logs = workspace.at('cache/runs', runId, 'logs')
  expect(readdirSync(logs).reduce((sum, name) => sum + statSync(path.join(logs, name)).size, 0)).toBeLessThan(5e6)
  const lines = readdirSync(logs).flatMap((name) => readFileSync(path.join(logs, name), 'utf8').trim().split('\n'))
  const left = lines.map((line) => Number(/ … (\d+) bytes of output are left out here$/.exec(line)?.[1] ?? 0))
  expect(left.reduce((sum, bytes) => sum + bytes)).toBeGreaterThan(990e6)
  expect(lines.filter((line) => line.endsWith(' the last word'))).toHaveLength(1)
  await expectNothingLeft(workspace)
})

test("a sidecar that hangs with the interpreter's lock held is ended, and another one does the work", async () => {
  const workspace = pythonWorkspace('holds_gil.py', python, 5)
  const { code, events } = await run(workspace, workspace.env)
  expect(code).toBe(0)
  expect(events.flatMap((event) => (event.type === 'setup' ? [event.text] : []))).toEqual([
    'starting the sidecar',
    'loading tiny',
    'the sidecar gave no sign of life for 5 s and was ended; attempt 2 of 3',
    'starting the sidecar',
    'loading tiny',
  ])
  await expectNothingLeft(workspace)
})

test('kill -9 of the engine ends a sidecar that holds the interpreter’s lock', async () => {
  const workspace = pythonWorkspace('holds_gil.py', python, 600)
  const { signal } = await runUntil(
    workspace,
    (event) => event.type === 'state-changed' && event.change === 'adapter-on',
    (child) => child.kill('SIGKILL'),
    workspace.env,
  )
  expect(signal).toBe('SIGKILL')
  const [pid] = workspace.started() as [number]
  await vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: 10_000, interval: 20 })
  const { code } = await run(workspace, workspace.env)
  expect(code).toBe(0)
  await expectNothingLeft(workspace)
})

test('DAG_SIDECAR_SILENCE that is no number of seconds is said before anything is started', async () => {
  const workspace = fakeWorkspace('behaves', 0)
  const { code, stderr } = await dag(workspace.folder, ['run', workflowFile], { ...workspace.env, DAG_SIDECAR_SILENCE: 'soon' })
  expect([code, stderr]).toEqual([
    2,
    'error: DAG_SIDECAR_SILENCE is "soon" [bad-setting]\n  hint: it takes seconds, more than 0 and at most 86400\n\n1 error; nothing was started\n',
  ])
  expect(workspace.started()).toEqual([])
})

async function expectNothingLeft(workspace: FakeWorkspace): Promise<void> {
  expect(cellDigests(workspace)).toEqual(await undisturbed())
  expect(cellDigests(workspace).size).toBe(6)
  expect(workspace.orphans()).toEqual([])
}

/** Runs the workflow to its end; its peak of memory in bytes, of the engine or a child, whichever is larger. */
async function measured(workspace: FakeWorkspace): Promise<{ code: number | null; peak: number }> {
  const script = `
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)
`
  const child = spawn(python, ['-c', script, process.execPath, program, 'run', workflowFile, '--ui', 'json'], {
    cwd: workspace.folder,
    env: { ...process.env, ...workspace.env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let text = ''
  child.stdout.on('data', (chunk) => (text += chunk))
  await new Promise((resolve) => child.on('close', resolve))
  const [code, peak] = text.trim().split(' ').map(Number) as [number, number]
  return { code, peak }
}
