import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { CalibrationReport } from '../../engine/report/calibrate-text.ts'
import type { PlanReport } from '../../engine/report/plan-report.ts'
import { storeLayout } from '../../engine/store/files/layout.ts'
import { takeLock } from '../../engine/store/files/lock.ts'
import { cellDigests } from '../support/cells.ts'
import { dag, plan } from '../support/dag.ts'
import { finishedWorkspace, freshWorkspace, type Workspace, workflowFile } from '../support/workspace.ts'

const stored = (workspace: Workspace) => ({
  cells: cellDigests(workspace),
  files: ['objects', 'manifests', 'staging', 'runs'].map(
    (name) => new Set(readdirSync(workspace.at('cache', name), { recursive: true, encoding: 'utf8' })),
  ),
})

test('a calibration measures the models of a workflow and the disk; the plan rests on it, and nothing is added to the store', async () => {
  const workspace = freshWorkspace()
  expect((await plan(workspace)).forecast.basis).toBe('profile cpu-2core')
  const before = stored(workspace)
  const { code, stdout } = await dag(workspace.folder, ['calibrate', '--json', '--out', 'here.json', workflowFile])
  expect(code).toBe(0)
  const { models, disk } = JSON.parse(stdout) as CalibrationReport
  const [tiny] = models
  expect(models.map(({ model, together, profile }) => [model, together, profile.name])).toEqual([['tiny', 2, 'profile cpu-2core']])
  const measured = ['decodeFlops', 'loadSeconds', 'memoryBytes', 'prefillFlops', 'startSeconds', 'switchSeconds']
  expect(Object.keys(tiny?.measured ?? {}).sort()).toEqual(measured)
  expect(Object.values({ ...tiny?.measured, ...disk }).every((figure) => figure > 0)).toBe(true)
  expect(stored(workspace)).toEqual(before)

  const { forecast, memory } = await plan(workspace)
  expect(forecast.basis).toBe("this machine's calibration, profile cpu-2core")
  expect(memory[0]?.deviceBytes).toBe(tiny?.measured.memoryBytes)
  const written = JSON.parse(readFileSync(workspace.at('here.json'), 'utf8')) as object
  expect(written).toEqual({ ...withoutName(tiny?.profile), ...tiny?.measured, ...disk })
  const planned = await dag(workspace.folder, ['plan', '--profile', 'here.json', workflowFile])
  expect(planned.stdout).toContain('(from profile here.json)')
})

test('what runs have measured goes before a calibration', async () => {
  const workspace = finishedWorkspace()
  expect((await dag(workspace.folder, ['calibrate', workflowFile])).code).toBe(0)
  workspace.edit('prompts/one.json', 'What is rain?', 'What is snow?')
  expect((await plan(workspace)).forecast.basis).toBe("this machine's own runs")
})

test('a part of the processor is calibrated for itself: forecasts on as many parts rest on it, and no others', async () => {
  const workspace = freshWorkspace()
  expect((await dag(workspace.folder, ['calibrate', '--device', 'cpu,cpu', workflowFile])).code).toBe(0)
  const basisOn = async (devices: string) => {
    const { stdout } = await dag(workspace.folder, ['plan', '--json', '--device', devices, workflowFile])
    return (JSON.parse(stdout) as PlanReport).forecast.basis
  }
  expect([await basisOn('cpu,cpu'), await basisOn('cpu')]).toEqual(["this machine's calibration, profile cpu-2core", 'profile cpu-2core'])
})

test('without a workflow the disk alone is measured, and no sidecar is started', async () => {
  const { code, stdout } = await dag(freshWorkspace().folder, ['calibrate'], { DAG_SIDECAR: '/nowhere' })
  expect(code).toBe(0)
  expect(stdout).toMatch(/^the store's disk\n {2}write {2}[\d.]+ [kMG]B\/s\n {2}read {3}[\d.]+ [kMG]B\/s\n\nforecasts on this machine/)
})

test('a profile of no model, a store that is in use and a sidecar that cannot be started are said', async () => {
  const workspace = freshWorkspace()
  const error = async (args: readonly string[]) => {
    const { code, stderr } = await dag(workspace.folder, ['calibrate', ...args], { DAG_SIDECAR: '/nowhere' })
    return [code, stderr.split('\n').find((line) => line.startsWith('error'))]
  }
  expect(await error(['--out', 'here.json'])).toEqual([2, 'error: a profile is of one model, and here are 0 [usage]'])
  expect(await error([workflowFile])).toEqual([1, 'error: the sidecar cannot be started: spawn /nowhere ENOENT'])
  const lock = takeLock(storeLayout(workspace.at('cache')), 'run x of y')
  try {
    expect(await error([workflowFile])).toEqual([2, expect.stringMatching(/^error: the store \S+ is in use by .*run x of y.* \[locked\]$/)])
  } finally {
    if (lock.ok) lock.value.release()
  }
})

function withoutName(profile: CalibrationReport['models'][number]['profile'] | undefined): object {
  const { name: _name, ...speeds } = profile ?? { name: '' }
  return speeds
}
