import { expect, test } from 'vitest'
import type { RunEvent } from '../../engine/core/events.ts'
import { cellDigests } from '../support/cells.ts'
import { dag, run } from '../support/dag.ts'
import { expectUndisturbed, type FakeWorkspace, fakeWorkspace } from '../support/fake.ts'
import { workflowFile } from '../support/workspace.ts'

/** A workspace whose model is on these devices. */
function onDevices(devices: string, mode: string, times?: number): FakeWorkspace {
  const workspace = fakeWorkspace(mode, times)
  workspace.edit(workflowFile, 'dtype: bfloat16', `dtype: bfloat16, device: ${devices}`)
  return workspace
}

const changes = (events: readonly RunEvent[]) =>
  events.flatMap((event) => (event.type === 'state-changed' ? [`${event.worker} ${event.change} ${event.name}`] : []))

test('two devices answer at once, each with the model loaded and its own organisms on', async () => {
  const workspace = onDevices('[cuda:0, cuda:1]', 'meets')
  const { code, events, finished } = await run(workspace, workspace.env)
  expect([code, finished.modelLoads, finished.adapterSwitches]).toEqual([0, 2, 3])
  expect(
    workspace
      .asked()
      .filter((line) => line.startsWith('load_base'))
      .sort(),
  ).toEqual(['load_base cuda:0', 'load_base cuda:1'])
  expect(changes(events)).toEqual(expect.arrayContaining(['cuda:0 adapter-on alpha', 'cuda:1 adapter-on beta']))
  expect(changes(events).filter((change) => change.endsWith('adapter-on gamma'))).toHaveLength(1)
  const batches = events.flatMap((event) => (event.type === 'batch-finished' ? [`${event.task} ${event.worker}`] : []))
  expect(batches).toEqual(expect.arrayContaining(['answers/alpha/two cuda:0', 'answers/beta/two cuda:1']))
  await expectUndisturbed(workspace)
})

test('on how many devices a model is changes no key: one more makes nothing anew', async () => {
  const workspace = onDevices('cuda', 'behaves', 0)
  await run(workspace, workspace.env)
  const before = cellDigests(workspace)
  workspace.edit(workflowFile, 'device: cuda', 'device: [cuda:0, cuda:1]')
  const { code, finished } = await run(workspace, workspace.env)
  expect([code, finished.cells]).toEqual([0, { ran: 0, reused: 6, failed: 0 }])
  expect(cellDigests(workspace)).toEqual(before)
})

test('a device that is not there is left out: the others do its work, and the run says so at its end', async () => {
  const workspace = onDevices('[cuda:0, cuda:1]', 'lacks-cuda:1')
  const { code, events, finished } = await run(workspace, workspace.env)
  const lost = { worker: 'cuda:1', message: "device 'cuda:1' is not available on this machine" }
  expect([code, finished.outcome, finished.lostWorkers]).toEqual([0, 'done', [lost]])
  expect(events.filter(({ type }) => type === 'worker-lost')).toEqual([expect.objectContaining(lost)])
  const expected = ['cuda:0 base-loaded tiny', ...['alpha', 'beta', 'gamma'].map((name) => `cuda:0 adapter-on ${name}`)]
  expect(changes(events).sort()).toEqual(expected.sort())
  await expectUndisturbed(workspace)
  const shown = await dag(workspace.folder, ['show', finished.run], workspace.env)
  expect(shown.stdout).toContain("  cuda:1 is left out: device 'cuda:1' is not available on this machine\n")
})

test('where the only device is not there, every task fails and says why', async () => {
  const workspace = onDevices('cuda:1', 'lacks-cuda:1')
  const { code, finished } = await run(workspace, workspace.env)
  expect([code, finished.tasks.failed, finished.failure?.message, finished.lostWorkers]).toEqual([
    1,
    3,
    "device 'cuda:1' is not available on this machine",
    undefined,
  ])
})

test('a sidecar that is killed at work on one device is started again there', async () => {
  const workspace = onDevices('[cuda:0, cuda:1]', 'killed', 1)
  const { code, events, finished } = await run(workspace, workspace.env)
  expect([code, finished.modelLoads, finished.lostWorkers]).toEqual([0, 3, undefined])
  const told = events.flatMap((event) => (event.type === 'setup' && event.text.includes('attempt') ? [event.text] : []))
  expect(told).toEqual([expect.stringMatching(/^cuda:[01]: the sidecar was ended by SIGKILL; attempt 2 of 3$/)])
  await expectUndisturbed(workspace)
})

test.for([
  ['[cpu, cuda]', 'model "tiny" is on cpu and cuda [device]', 'devices that share work are of one kind: they compute alike'],
  ['[cuda, "cuda:0"]', 'model "tiny" is on "cuda:0" more than once [device]', 'name each GPU once, as `cuda:0`'],
  ['[mps, mps]', 'model "tiny" is on "mps" more than once [device]', 'name each GPU once, as `cuda:0`'],
  ['cuda:1+cuda:1', 'model "tiny" is on "cuda:1" more than once [device]', 'name each GPU once, as `cuda:0`'],
  ['[cuda:0+cuda:1, cuda:1+cuda:2]', 'model "tiny" is on "cuda:1" more than once [device]', 'name each GPU once, as `cuda:0`'],
  [
    '[cuda:0+cuda:1, cuda:2]',
    'model "tiny" is on cuda:0+cuda:1 and cuda:2 [device]',
    'devices that share work are of one kind: they compute alike',
  ],
] as const)('devices that cannot share work are refused: %s', async ([devices, message, hint]) => {
  const workspace = onDevices(devices, 'behaves', 0)
  const { code, stderr } = await dag(workspace.folder, ['plan', workflowFile], workspace.env)
  expect(code).toBe(2)
  expect(stderr).toContain(`workflows/audit.yaml:3:61: error: ${message}\n`)
  expect(stderr).toContain(`  hint: ${hint}\n`)
})

test('a model that is spread over two GPUs is one sidecar with the memory of both, and has the keys that it has on one', async () => {
  const workspace = onDevices('cuda', 'lacks-mps')
  await run(workspace, workspace.env)
  const before = cellDigests(workspace)
  const memoryOf = async () =>
    JSON.parse((await dag(workspace.folder, ['plan', '--json', workflowFile], workspace.env)).stdout).memory as { deviceBytes: number }[]
  workspace.edit(workflowFile, 'device: cuda', 'device: [cuda:0+cuda:1, cuda:2+cuda:3]')
  const { finished } = await run(workspace, workspace.env)
  expect([finished.cells, cellDigests(workspace)]).toEqual([{ ran: 0, reused: 6, failed: 0 }, before])
  workspace.edit(workflowFile, 'max_new_tokens: 6', 'max_new_tokens: 7')
  expect((await memoryOf()).map(({ deviceBytes }) => deviceBytes)).toEqual([160e9])
  workspace.edit(workflowFile, '[cuda:0+cuda:1, cuda:2+cuda:3]', 'cuda:0+cuda:1')
  await run(workspace, workspace.env)
  expect(
    workspace
      .asked()
      .filter((line) => line.startsWith('load_base'))
      .sort(),
  ).toEqual(['load_base cuda', 'load_base cuda:0+cuda:1'])
})

test('models that have some GPUs in common, and not all, are refused with the place of the second', async () => {
  const workspace = onDevices('cuda:1', 'behaves', 0)
  workspace.edit(workflowFile, 'models:', 'models:\n  large: { source: ../models/model, dtype: bfloat16, device: cuda:0+cuda:1 }')
  const { code, stderr } = await dag(workspace.folder, ['plan', workflowFile], workspace.env)
  expect(code).toBe(2)
  expect(stderr).toContain('error: model "tiny" is on cuda:1 and model "large" on cuda:0+cuda:1 [device]\n')
  expect(stderr).toContain('  hint: models take turns on what they have in common: spread both alike\n')
})

test('--device puts models elsewhere than the file says, for this plan or run alone', async () => {
  const workspace = onDevices('cuda', 'meets')
  const { stdout } = await dag(workspace.folder, ['plan', '--json', '--device', 'cuda:2,cuda:3', workflowFile], workspace.env)
  expect(JSON.parse(stdout)).toMatchObject({ devices: ['cuda:2', 'cuda:3'], modelLoads: 2 })
  const { code } = await dag(workspace.folder, ['run', '--ui', 'json', '--device', 'cuda:2,cuda:3', workflowFile], workspace.env)
  expect(code).toBe(0)
  expect(
    workspace
      .asked()
      .filter((line) => line.startsWith('load_base'))
      .sort(),
  ).toEqual(['load_base cuda:2', 'load_base cuda:3'])
  await expectUndisturbed(workspace)
  const again = await run(workspace, workspace.env)
  expect(again.finished.tasks).toEqual({ ran: 0, reused: 3, failed: 0 })
})

test.for([
  ['gpu', '"gpu" is no device: write cpu, cuda, cuda:1 or mps, several as cuda:0,cuda:1 or cuda:0+cuda:1'],
  ['cuda,cuda:0', 'a model is on "cuda:0" more than once: name each GPU once, as `cuda:0`'],
])('--device %s is refused', async ([devices, message]) => {
  const workspace = onDevices('cuda', 'behaves', 0)
  const { code, stderr } = await dag(workspace.folder, ['run', '--device', devices as string, workflowFile], workspace.env)
  expect(code).toBe(2)
  expect(stderr).toContain(message)
  expect(workspace.started()).toEqual([])
})
