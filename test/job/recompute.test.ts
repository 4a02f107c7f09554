import { expect, test } from 'vitest'
import type { RecomputeReport } from '../../engine/core/recomputed.ts'
import { cellDigests } from '../support/cells.ts'
import { dag } from '../support/dag.ts'
import { finishedWorkspace, freshWorkspace, workflowFile } from '../support/workspace.ts'

test('stored cells that are computed again in other batches are the same or drift, of every operation as many; the store stays as it was', async () => {
  const workspace = finishedWorkspace()
  const before = cellDigests(workspace)
  const { code, stdout } = await dag(workspace.folder, ['verify', '--json', '--recompute', '32', workflowFile])
  const { cells, failed } = JSON.parse(stdout) as RecomputeReport
  expect([code, failed]).toEqual([0, []])
  const of = (operation: string) => cells.filter((cell) => cell.operation === operation)
  expect(['extract', 'generate', 'capture', 'project'].map((operation) => of(operation).length)).toEqual([8, 8, 8, 8])
  expect(cells.filter(({ verdict }) => verdict === 'beyond')).toEqual([])
  expect(of('generate').every(({ ids, verdict }) => ids !== null && (ids.common === ids.stored) === (verdict === 'same'))).toBe(true)
  const numbers = cells.flatMap(({ difference }) => difference ?? [])
  expect([numbers.length, numbers.every(({ cosine, relative }) => cosine > 0.999 && relative < 0.03)]).toEqual([24, true])
  expect(of('project').map(({ flips }) => flips)).toEqual(Array.from({ length: 8 }, () => false))
  expect(cellDigests(workspace)).toEqual(before)
})

test('a store in which nothing is done has nothing to compute again, and starts no sidecar', async () => {
  const { code, stdout } = await dag(freshWorkspace().folder, ['verify', '--recompute', '5', workflowFile], { DAG_SIDECAR: '/nowhere' })
  expect([code, stdout.split('\n')[0]]).toEqual([0, 'computed again: 0 cells, beside the store; nothing in it was changed'])
})

test('a workflow without --recompute, and --recompute without one, are told to go together', async () => {
  const workspace = freshWorkspace()
  for (const args of [[workflowFile], ['--recompute', '5']]) {
    const { code, stderr } = await dag(workspace.folder, ['verify', ...args])
    expect([code, stderr.split('\n')[0]]).toEqual([2, 'error: --recompute and a workflow go together [usage]'])
  }
  const { code, stderr } = await dag(workspace.folder, ['verify', '--device', 'cpu'])
  expect([code, stderr.split('\n')[0]]).toEqual([2, 'error: --device goes with --recompute [usage]'])
})
