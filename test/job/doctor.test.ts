import { chmodSync, readdirSync, rmSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { Finding } from '../../engine/report/doctor.ts'
import { dag } from '../support/dag.ts'
import { manifestOf } from '../support/stored.ts'
import { finishedWorkspace, type Workspace } from '../support/workspace.ts'

async function doctor(
  workspace: Workspace,
  env: Record<string, string> = {},
): Promise<{ code: number | null; unwell: Finding[]; all: Finding[] }> {
  const { code, stdout } = await dag(workspace.folder, ['doctor', '--json'], env)
  const { findings } = JSON.parse(stdout) as { findings: Finding[] }
  return { code, all: findings, unwell: findings.filter(({ state }) => state !== 'ok') }
}

/** A finished workspace; copying it opened its folders. */
function closedWorkspace(): Workspace {
  const workspace = finishedWorkspace()
  for (const name of ['objects', 'manifests', 'staging', 'quarantine', 'runs']) chmodSync(workspace.at('cache', name), 0o700)
  return workspace
}

test('a store as the engine leaves it is well in all but its surroundings, and nothing is left behind', async () => {
  const workspace = closedWorkspace()
  const before = readdirSync(workspace.at('cache')).filter((name) => !/-(wal|shm)$/.test(name))
  const { code, unwell, all } = await doctor(workspace)
  expect(code).toBe(0)
  expect(unwell.filter(({ check }) => !['file system', 'disk', 'inodes'].includes(check))).toEqual([])
  expect(all.map(({ check }) => check)).toEqual([
    'node',
    'sqlite',
    'python',
    'sidecar',
    'kernels',
    'file system',
    'disk',
    'inodes',
    'owner',
    'privacy',
    'lock',
    'staging',
    'quarantine',
    'index',
    'clock',
  ])
  expect(readdirSync(workspace.at('cache')).filter((name) => !/-(wal|shm)$/.test(name))).toEqual(before)
})

test('a sidecar that cannot start and a lost manifest fail, an open folder warns', async () => {
  const workspace = closedWorkspace()
  chmodSync(workspace.at('cache/runs'), 0o755)
  rmSync(workspace.at('cache/manifests', manifestOf(workspace, 'vectors/kind')))
  const { code, unwell } = await doctor(workspace, { DAG_PYTHON: '/no/python' })
  expect(code).toBe(1)
  expect(unwell.filter(({ check }) => !['file system', 'disk', 'inodes'].includes(check))).toEqual([
    {
      check: 'sidecar',
      state: 'fail',
      text: 'the sidecar cannot be started: spawn /no/python ENOENT',
      remedy: 'run `npm run setup`; DAG_PYTHON names another Python than /no/python',
    },
    {
      check: 'privacy',
      state: 'warn',
      text: `others may read ${workspace.at('cache/runs')} (0755)`,
      remedy: `chmod go= ${workspace.at('cache/runs')}`,
    },
    { check: 'index', state: 'fail', text: 'names 1 manifest of 51 that are gone', remedy: '`dag verify` writes them anew' },
  ])
})
