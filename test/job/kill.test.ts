import { createInterface } from 'node:readline'
import { expect, test, vi } from 'vitest'
import type { RunEvent } from '../../engine/core/events.ts'
import { cellDigests } from '../support/cells.ts'
import { run, runUntil } from '../support/dag.ts'
import { childrenOf, isAlive, killIfThere } from '../support/processes.ts'
import { finishedWorkspace, freshWorkspace, workflowFile } from '../support/workspace.ts'

const secondBatchOf = (stage: string) => (event: RunEvent) =>
  event.type === 'batch-finished' && event.task.startsWith(`${stage}/beta/one`) && event.batch === 1

test.for(['answers', 'clean'])('kill -9 of the engine in the middle of %s leaves no orphan and loses at most one batch', async (stage) => {
  const workspace = freshWorkspace()
  let sidecars: number[] = []
  const killed = await runUntil(workspace, secondBatchOf(stage), (child) => {
    sidecars = childrenOf(child.pid as number)
    child.kill('SIGKILL')
  })
  expect(killed.signal).toBe('SIGKILL')
  expect(sidecars).toHaveLength(1)
  await vi.waitFor(() => expect(sidecars.filter(isAlive)).toEqual([]), { timeout: 10_000, interval: 20 })

  const committed = cellDigests(workspace).size
  const { finished } = await run(workspace)
  expect(finished.outcome).toBe('done')
  const total = finished.cells.ran + finished.cells.reused
  expect(total).toBe(182)
  const announced = killed.events.reduce((sum, event) => sum + (event.type === 'batch-finished' ? event.cells : 0), 0)
  expect(committed).toBeGreaterThanOrEqual(announced)
  expect(cellDigests(workspace)).toEqual(cellDigests(finishedWorkspace()))
})

test.for(['answers', 'clean'])('kill -9 of the sidecar in the middle of %s is survived by the same run', async (stage) => {
  const workspace = freshWorkspace()
  const survived = await runUntil(workspace, secondBatchOf(stage), (child) => {
    childrenOf(child.pid as number).forEach(killIfThere)
  })
  expect(survived.code).toBe(0)
  const last = survived.events.at(-1)
  expect(last).toMatchObject({ type: 'run-finished', outcome: 'done', modelLoads: 2, cells: { ran: 182, reused: 0, failed: 0 } })
  expect(cellDigests(workspace)).toEqual(cellDigests(finishedWorkspace()))
})

test('ctrl-c once finishes what runs, keeps it and ends with 75; the next run goes on from there', async () => {
  const workspace = freshWorkspace()
  const stopped = await runUntil(workspace, secondBatchOf('answers'), (child) => child.kill('SIGINT'))
  expect(stopped.code).toBe(75)
  const last = stopped.events.at(-1)
  if (last?.type !== 'run-finished') throw new Error('the run did not end with its last event')
  expect(last.outcome).toBe('stopped')
  expect(cellDigests(workspace).size).toBe(last.cells.ran)
  const { finished } = await run(workspace)
  expect(finished.cells).toEqual({ ran: 182 - last.cells.ran, reused: last.cells.ran, failed: 0 })
  expect(cellDigests(workspace)).toEqual(cellDigests(finishedWorkspace()))
})

test('ctrl-c twice ends at once with 130 and starts nothing more', async () => {
  const workspace = freshWorkspace()
  // A batch that would last: it must not be done when the second one comes.
  workspace.edit(workflowFile, 'max_new_tokens: 6', 'max_new_tokens: 400')
  const ended = await runUntil(
    workspace,
    (event) => event.type === 'task-started' && event.task.startsWith('answers/beta'),
    (child) => {
      child.kill('SIGINT')
      // Signals that nobody has taken yet are one.
      createInterface({ input: child.stdout }).on('line', (line) => {
        if (line.includes('"stop-requested","how":"drain"')) child.kill('SIGINT')
      })
    },
  )
  expect(ended.code).toBe(130)
  expect(ended.events.at(-1)).toMatchObject({ type: 'run-finished', outcome: 'interrupted' })
  expect(ended.events.filter((event) => event.type === 'setup' && event.text === 'starting the sidecar')).toHaveLength(1)
})
