import { existsSync, readdirSync, readFileSync, truncateSync } from 'node:fs'
import { expect, test, vi } from 'vitest'
import type { RunEvent } from '../../engine/core/events.ts'
import { cellDigests } from '../support/cells.ts'
import { run } from '../support/dag.ts'
import { expectUndisturbed, type FakeWorkspace, fakeWorkspace, patience } from '../support/fake.ts'
import { inTerminal } from '../support/in-terminal.ts'
import { processesIn } from '../support/processes.ts'
import { type Watched, watched } from '../support/watched.ts'
import { freshWorkspace, type Workspace, workflowFile } from '../support/workspace.ts'

/** A run whose first batch is being worked on and ends when the test says so. */
async function runAtWork(ui: 'plain' | 'json' = 'plain'): Promise<{ workspace: FakeWorkspace; running: Watched }> {
  const workspace = fakeWorkspace('waits')
  const running = watched(workspace.folder, ['run', '--ui', ui, workflowFile], workspace.env)
  await workspace.atWork()
  return { workspace, running }
}

/** The next run reuses what was done and comes to what an undisturbed one comes to. */
async function expectResumed(workspace: FakeWorkspace, reused: number): Promise<void> {
  expect(workspace.orphans()).toEqual([])
  expect(cellDigests(workspace).size).toBe(reused)
  workspace.goOn()
  const { finished } = await run(workspace, workspace.env)
  expect([finished.outcome, finished.cells]).toEqual(['done', { ran: 6 - reused, reused, failed: 0 }])
  await expectUndisturbed(workspace)
}

/** Times, sizes and the name of the run differ between runs. */
function withoutFigures(text: string): string {
  return text
    .replaceAll(/\d{8}-\d{6}-[0-9a-f]{4}/g, 'RUN')
    .replaceAll(/\d\d:\d\d:\d\d/g, 'CLOCK')
    .replaceAll(/\d+(\.\d+)? ([mk]?s|k?B)\b/g, 'N $2')
}

const stoppedText = `
stopped after N s; finished work is kept
  tasks  1 done   0 reused   0 failed
  cells  2 made   0 reused   0 failed
  1 base load, 1 adapter switch, N B written

go on with: dag run workflows/audit.yaml
`

test.for(['SIGINT', 'SIGTERM'] as const)('%s once finishes and keeps what runs, and ends with 75', async (signal) => {
  const { workspace, running } = await runAtWork()
  running.child.kill(signal)
  await running.says('stopping: what runs is finished first; ctrl-c ends it now\n')
  workspace.goOn()
  expect(await running.end).toEqual({ code: 75, signal: null })
  expect(withoutFigures(running.stdout()).slice(-stoppedText.length)).toBe(stoppedText)
  expect(running.stderr()).toBe('')
  await expectResumed(workspace, 2)
})

test.for(['SIGINT', 'SIGTERM'] as const)('%s twice ends what runs at once with 130', async (signal) => {
  const { workspace, running } = await runAtWork()
  running.child.kill(signal)
  await running.says('stopping')
  running.child.kill(signal)
  expect(await running.end).toEqual({ code: 130, signal: null })
  expect(running.stdout()).toContain('  ending now; committed work is kept\n')
  expect(running.stdout()).toContain('\ninterrupted after ')
  expect(running.stdout().endsWith('\ngo on with: dag run workflows/audit.yaml\n')).toBe(true)
  await expectResumed(workspace, 0)
})

test('three times in the time of one: whatever has come of the second, the third ends with 130', async () => {
  const { workspace, running } = await runAtWork()
  running.child.kill('SIGINT')
  await running.says('stopping')
  running.child.kill('SIGINT')
  await running.says('ending now')
  running.child.kill('SIGINT')
  expect((await running.end).code).toBe(130)
  await vi.waitFor(() => expect(workspace.orphans()).toEqual([]), patience)
  await expectResumed(workspace, 0)
})

test('SIGHUP, however often it comes, finishes what runs, and says why', async () => {
  const { workspace, running } = await runAtWork()
  running.child.kill('SIGHUP')
  await running.says('stopping, since the terminal is gone: what runs is finished first; ctrl-c ends it now\n')
  running.child.kill('SIGHUP')
  workspace.goOn()
  expect(await running.end).toEqual({ code: 75, signal: null })
  expect(running.stdout()).toContain('\nstopped, since the terminal is gone\n\ngo on with: dag run workflows/audit.yaml\n')
  await expectResumed(workspace, 2)
})

test('what npm starts hears nothing of the signal that ends npm: it sees that npm is gone, and finishes what runs', async () => {
  const workspace = fakeWorkspace('waits')
  const npm = ['bash', '-c', '"$0" "$@"; true']
  const { child, says, end, stdout } = watched(workspace.folder, ['run', workflowFile], { ...workspace.env, npm_command: 'exec' }, npm)
  await workspace.atWork()
  child.kill('SIGKILL')
  await says('stopping, since npm, which started it, is gone: what runs is finished first; ctrl-c ends it now\n')
  workspace.goOn()
  expect(await end).toEqual({ code: null, signal: 'SIGKILL' })
  expect(stdout()).toContain('\nstopped, since npm, which started it, is gone\n\ngo on with: dag run workflows/audit.yaml\n')
  await expectResumed(workspace, 2)
})

test('under nohup a run outlives its terminal', async () => {
  const workspace = fakeWorkspace('waits')
  const nohup = ['bash', '-c', 'exec nohup "$0" "$@" > nohup.out 2>&1']
  const { child, end } = watched(workspace.folder, ['run', workflowFile], workspace.env, nohup)
  await workspace.atWork()
  child.kill('SIGHUP')
  workspace.goOn()
  expect(await end).toEqual({ code: 0, signal: null })
  expect(workspace.read('nohup.out')).toContain('\ndone after ')
})

test('a reader that leaves: what runs is finished and kept, and the end is 75', async () => {
  const { workspace, running } = await runAtWork('json')
  running.child.stdout.destroy()
  workspace.goOn()
  expect(await running.end).toEqual({ code: 75, signal: null })
  expect(running.stderr()).toBe('nobody reads the output any more: what runs is finished first, then the run stops\n')
  const kept = cellDigests(workspace).size
  expect(kept).toBeLessThan(6)
  await expectResumed(workspace, kept)
})

test.for([
  `plan ${workflowFile}`,
  `plan --json ${workflowFile}`,
  `why ${workflowFile} answers/alpha/two`,
  `check ${workflowFile}`,
  '--help',
])('a reader that leaves before `dag %s` has printed anything is no mistake', async (line) => {
  const workspace = fakeWorkspace('behaves', 0)
  const { child, end, stderr } = watched(workspace.folder, line.split(' '))
  child.stdout.destroy()
  expect(await end).toEqual({ code: 0, signal: null })
  expect(stderr()).toBe('')
})

test('an output that cannot be written for another reason is told', async () => {
  const workspace = fakeWorkspace('behaves', 0)
  const { end, stderr } = watched(workspace.folder, ['plan', workflowFile], {}, ['bash', '-c', 'exec "$0" "$@" > /dev/full'])
  expect(await end).toEqual({ code: 3, signal: null })
  expect(stderr()).toBe('error: the output cannot be written: ENOSPC: no space left on device, write\n')
})

test('ctrl-c while the sources are read ends with 75 before anything is started', async () => {
  const workspace = freshWorkspace()
  workspace.write(
    workflowFile,
    'workflow: big\nsteps:\n  a: { kind: command, run: [cp, "{in.x}", "{out.y}"], inputs: { x: ../big.bin }, outputs: { y: y.bin } }\n',
  )
  workspace.write('big.bin', '')
  truncateSync(workspace.at('big.bin'), 1e12)
  const running = watched(workspace.folder, ['run', workflowFile], {})
  await vi.waitFor(() => expect(catchesHangUp(running.child.pid as number)).toBe(true), patience)
  running.child.kill('SIGINT')
  expect(await running.end).toEqual({ code: 75, signal: null })
  expect([running.stdout(), running.stderr()]).toEqual(['', 'stopped before anything was started\n'])
})

/** Whether the process has a handler for SIGHUP, which Node has none for. */
function catchesHangUp(pid: number): boolean {
  const caught = /SigCgt:\s*([0-9a-f]+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] as string
  return (BigInt(`0x${caught}`) & 1n) !== 0n
}

test.for(['plain', 'tui'])('a terminal that is closed (%s): what runs is finished and kept, and the end is 75', async (ui) => {
  const workspace = fakeWorkspace('waits')
  const shown = ui === 'tui' ? 'answers/alpha/two' : 'adapter on: alpha'
  const ended = inTerminal(workspace, ui, [{ expect: shown }, { close: true }], workspace.env)
  await workspace.atWork()
  await vi.waitFor(() => expect(journalOf(workspace).some((event) => event.type === 'stop-requested')).toBe(true), patience)
  workspace.goOn()
  expect(await ended).toMatchObject({ code: 75, signal: null })
  expect(journalOf(workspace).at(-1)).toMatchObject({ type: 'run-finished', outcome: 'stopped', because: 'the terminal is gone' })
  await expectResumed(workspace, 2)
})

test.for([
  ['plain', 'stopping'],
  ['tui', 'stopping after what runs'],
] as const)('ctrl-c typed into a terminal (%s) ends with 75', async ([ui, told]) => {
  const workspace = fakeWorkspace('waits')
  const shown = ui === 'tui' ? 'answers/alpha/two' : 'adapter on: alpha'
  const goOn = { make: workspace.at('fake', 'go-on') }
  const { code, text } = await inTerminal(workspace, ui, [{ expect: shown }, { send: '\u0003' }, { expect: told }, goOn], workspace.env)
  expect(code).toBe(75)
  expect(text).toContain('go on with: dag run workflows/audit.yaml')
  await expectResumed(workspace, 2)
})

test('ctrl-c typed into a terminal reaches the engine and not the program of a step', async () => {
  const workspace = freshWorkspace()
  workspace.write(
    workflowFile,
    `workflow: chain
steps:
  a: { kind: command, run: "touch ${workspace.at('at-work')}; until [ -e ${workspace.at('go-on')} ]; do sleep 0.02; done; echo a > {out.o}", outputs: { o: o.txt } }
  b: { kind: command, run: [cp, "{in.x}", "{out.o}"], inputs: { x: { step: a, output: o } }, outputs: { o: o.txt } }
`,
  )
  const ended = inTerminal(workspace, 'plain', [
    { await: workspace.at('at-work') },
    { send: '\u0003' },
    { expect: 'stopping' },
    { make: workspace.at('go-on') },
  ])
  expect(await ended).toMatchObject({ code: 75, signal: null })
  expect((await run(workspace)).finished.tasks).toEqual({ ran: 1, reused: 1, failed: 0 })
})

test('ctrl-c twice ends the program of a step with all that it has started', async () => {
  const workspace = freshWorkspace()
  workspace.write(
    workflowFile,
    `workflow: chain
steps:
  a: { kind: command, run: "sleep 1000 & touch ${workspace.at('at-work')}; sleep 1000; echo a > {out.o}", outputs: { o: o.txt } }
`,
  )
  const running = watched(workspace.folder, ['run', '--ui', 'plain', workflowFile], {})
  await vi.waitFor(() => expect(existsSync(workspace.at('at-work'))).toBe(true), patience)
  expect(processesIn(workspace.at('cache/staging')).length).toBeGreaterThanOrEqual(2)
  running.child.kill('SIGINT')
  await running.says('stopping')
  running.child.kill('SIGINT')
  expect((await running.end).code).toBe(130)
  await vi.waitFor(() => expect(processesIn(workspace.at('cache/staging'))).toEqual([]), patience)
})

/** Events of the workspace's only run so far. */
function journalOf(workspace: Workspace): RunEvent[] {
  const [runId] = readdirSync(workspace.at('cache/runs')).filter((name) => existsSync(workspace.at('cache/runs', name, 'journal.ndjson')))
  if (!runId) return []
  const lines = readFileSync(workspace.at('cache/runs', runId, 'journal.ndjson'), 'utf8')
    .split('\n')
    .slice(0, -1)
  return lines.map((line) => JSON.parse(line) as RunEvent)
}
