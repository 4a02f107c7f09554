import { availableParallelism } from 'node:os'
import { expect, test, vi } from 'vitest'
import type { RunEvent } from '../../engine/core/events.ts'
import type { Maker } from '../../engine/core/maker.ts'
import { cellDigests } from '../support/cells.ts'
import { dag, run, runUntil } from '../support/dag.ts'
import { childrenOf, isAlive } from '../support/processes.ts'
import { rows } from '../support/stored.ts'
import { finishedWorkspace, freshWorkspace, type Workspace, workflowFile } from '../support/workspace.ts'

/** The main job with the model on this machine's processor twice, each with a part of its cores and memory. */
function onTwo(): Workspace {
  const workspace = freshWorkspace()
  workspace.edit(workflowFile, 'dtype: bfloat16', 'dtype: bfloat16, device: [cpu, cpu]')
  return workspace
}

/** A batch of either worker is done, and both are there. */
function bothAtWork(): (event: RunEvent) => boolean {
  const loaded = new Set<string | undefined>()
  return (event) => {
    if (event.type === 'state-changed' && event.change === 'base-loaded') loaded.add(event.worker)
    return loaded.size === 2 && event.type === 'batch-finished'
  }
}

test('a model that is on two devices works on both, to the same bytes as on one, and nothing is left to do', async () => {
  const workspace = onTwo()
  const { events, finished } = await run(workspace)
  expect(finished).toMatchObject({ outcome: 'done', modelLoads: 2, cells: { ran: 182, reused: 0, failed: 0 } })
  const worked = new Set(events.flatMap((event) => (event.type === 'batch-finished' && event.worker !== undefined ? [event.worker] : [])))
  expect([...worked].sort()).toEqual(['cpu', 'cpu 2'])
  expect(cellDigests(workspace)).toEqual(cellDigests(finishedWorkspace()))
  const makers = rows<{ maker: string }>(workspace, "SELECT DISTINCT maker FROM units WHERE operation = 'generate'").map(
    ({ maker }) => JSON.parse(maker) as Maker,
  )
  const part = Math.max(1, Math.floor(availableParallelism() / 2))
  expect(makers.map(({ device, threads }) => [device, threads])).toEqual([['cpu', part]])
  workspace.edit(workflowFile, ', device: [cpu, cpu]', '')
  const again = await run(workspace)
  expect(again.finished.tasks).toMatchObject({ ran: 0, failed: 0 })
})

test('kill -9 of one of two sidecars is survived by the same run', async () => {
  const workspace = onTwo()
  const survived = await runUntil(workspace, bothAtWork(), (child) => {
    const [first] = childrenOf(child.pid as number)
    process.kill(first as number, 'SIGKILL')
  })
  expect(survived.code).toBe(0)
  const last = survived.events.at(-1)
  expect(last).toMatchObject({ type: 'run-finished', outcome: 'done', cells: { ran: 182, reused: 0, failed: 0 } })
  expect(cellDigests(workspace)).toEqual(cellDigests(finishedWorkspace()))
})

test('kill -9 of the engine ends both sidecars, and the next run goes on', async () => {
  const workspace = onTwo()
  let sidecars: number[] = []
  const killed = await runUntil(workspace, bothAtWork(), (child) => {
    sidecars = childrenOf(child.pid as number)
    child.kill('SIGKILL')
  })
  expect(killed.signal).toBe('SIGKILL')
  expect(sidecars).toHaveLength(2)
  await vi.waitFor(() => expect(sidecars.filter(isAlive)).toEqual([]), { timeout: 10_000, interval: 20 })
  const { finished } = await run(workspace)
  expect([finished.outcome, finished.cells.ran + finished.cells.reused]).toEqual(['done', 182])
  expect(cellDigests(workspace)).toEqual(cellDigests(finishedWorkspace()))
})

test('ctrl-c once finishes what runs on both devices and keeps it', async () => {
  const workspace = onTwo()
  const stopped = await runUntil(workspace, bothAtWork(), (child) => child.kill('SIGINT'))
  expect(stopped.code).toBe(75)
  const last = stopped.events.at(-1)
  if (last?.type !== 'run-finished') throw new Error('the run did not end with its last event')
  expect(cellDigests(workspace).size).toBe(last.cells.ran)
  const { finished } = await run(workspace)
  expect(finished.cells).toEqual({ ran: 182 - last.cells.ran, reused: last.cells.ran, failed: 0 })
})

test('the plan says on how many devices a model is loaded, and what each of them needs', async () => {
  const workspace = onTwo()
  const { stdout } = await dag(workspace.folder, ['plan', '--json', workflowFile])
  const { devices, modelLoads, memory } = JSON.parse(stdout)
  expect([devices, modelLoads, memory[0].devices]).toEqual([['cpu', 'cpu 2'], 2, 2])
  const text = (await dag(workspace.folder, ['plan', workflowFile])).stdout
  expect(text).toMatch(/^ {2}base loads {8}2 on 2 devices \(/m)
  expect(text).toMatch(/^ {2}memory {12}.* on each of 2 devices: /m)
})
