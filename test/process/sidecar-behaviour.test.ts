import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { cellDigests } from '../support/cells.ts'
import { dag, program, run, runUntil } from '../support/dag.ts'
import { expectUndisturbed, type FakeWorkspace, fakeWorkspace, patience, pythonWorkspace } from '../support/fake.ts'
import { python } from '../support/paths.ts'
import { isAlive } from '../support/processes.ts'
import { organismList, workflowFile } from '../support/workspace.ts'

test.for([
  ['answers twice', 'answers-twice', /^the sidecar answered request \d+, for which no answer is due; it is ignored$/],
  ['answers an unknown id', 'unknown-id', /^the sidecar answered request 999, for which no answer is due; it is ignored$/],
] as const)('a sidecar that %s: the answer nobody waits for is noted, the results are the same', async ([, mode, note]) => {
  const workspace = fakeWorkspace(mode)
  const { code } = await run(workspace, workspace.env)
  expect(code).toBe(0)
  const notes = logLines(workspace).map((line) => line.slice(line.indexOf(' ') + 1))
  expect(notes).toHaveLength(3)
  for (const text of notes) expect(text).toMatch(note)
  await expectUndisturbed(workspace)
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
  await expectUndisturbed(workspace)
})

test('a sidecar whose memory ran out says how much it can; the next run begins with that', async () => {
  const workspace = fakeWorkspace('shrinks')
  const { code, events } = await run(workspace, workspace.env)
  const texts = events.flatMap((event) => (event.type === 'setup' && event.text.startsWith('memory') ? [event.text] : []))
  expect([code, texts]).toEqual([0, ['memory ran out; from now on 500 tokens at once with tiny']])
  workspace.edit(workflowFile, 'max_new_tokens: 6', 'max_new_tokens: 5')
  const next = await run(workspace, workspace.env)
  expect(next.events.filter((event) => event.type === 'setup' && event.text.startsWith('memory'))).toEqual([])
  expect(workspace.asked().filter((line) => line.startsWith('load_base'))).toEqual(['load_base null', 'load_base 500'])
})

test('1 GB of stderr: memory and logs stay small, the last words are kept, the results are the same', async () => {
  const workspace = fakeWorkspace('floods', 1)
  const { code, peak } = await measured(workspace)
  expect(code).toBe(0)
  expect(peak).toBeLessThan(400e6)
  const lines = logLines(workspace)
  expect(lines.join('\n').length).toBeLessThan(5e6)
  const left = lines.map((line) => Number(/ … (\d+) bytes of output are left out here$/.exec(line)?.[1] ?? 0))
  expect(left.reduce((sum, bytes) => sum + bytes)).toBeGreaterThan(990e6)
  expect(lines.filter((line) => line.endsWith(' the last word'))).toHaveLength(1)
  await expectUndisturbed(workspace)
})

test('a sidecar that is silent about its progress for longer than a hang takes, but at work, is left alone', async () => {
  const workspace = fakeWorkspace('beats', 1, 1)
  workspace.write('organisms/list.yaml', organismList(['alpha']))
  const { code, finished } = await run(workspace, workspace.env)
  expect([code, finished.cells.ran]).toEqual([0, 2])
  expect(workspace.started()).toHaveLength(1)
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
  await expectUndisturbed(workspace)
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
  await vi.waitFor(() => expect(isAlive(pid)).toBe(false), patience)
  const { code } = await run(workspace, workspace.env)
  expect(code).toBe(0)
  await expectUndisturbed(workspace)
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

/** What the logs of the workspace's only run hold. */
function logLines(workspace: FakeWorkspace): string[] {
  const [runId] = readdirSync(workspace.at('cache/runs')) as [string]
  const logs = workspace.at('cache/runs', runId, 'logs')
  return readdirSync(logs).flatMap((name) => readFileSync(path.join(logs, name), 'utf8').trim().split('\n'))
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
