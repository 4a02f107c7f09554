import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { RunFinished } from '../../engine/core/events.ts'
import { writeJob } from '../bench/workloads.mjs'
import { dag } from '../support/dag.ts'
import { root, tiny } from '../support/paths.ts'

test("the benchmarks' sidecar answers every request of the main job", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'dag-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const cells = writeJob(folder, tiny, { organisms: 2, sets: 1, prompts: 3, layers: 2, projected: 1, traits: 2 })
  const vectors = 2 * 2
  const env = { DAG_SIDECAR: `${process.execPath} ${path.join(root, 'test/bench/instant-sidecar.mjs')}` }
  const { stdout, stderr } = await dag(folder, ['run', '--ui', 'json', 'flow.yaml'], env)
  expect(stderr).toBe('')
  const finished = JSON.parse(stdout.trim().split('\n').at(-1) as string) as RunFinished
  expect(finished).toMatchObject({ outcome: 'done', cells: { ran: cells + vectors, reused: 0, failed: 0 } })
})
