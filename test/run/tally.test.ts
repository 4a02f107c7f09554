import { expect, test } from 'vitest'
import { Tally } from '../../engine/run/tally.ts'

test('a task of which only some batches were done counts its cells, and as done when all of them were', () => {
  const tally = new Tally(0)
  const counts = () => {
    const { tasks, cells } = tally.totals(1000, () => null)
    return { tasks, cells }
  }
  tally.settled('ranking/one', { cells: 5, toRun: 4, unchangedAfterAll: false })
  tally.batch('ranking/one', 2, 0, 100)
  expect(counts()).toEqual({ tasks: { ran: 0, reused: 0, failed: 0 }, cells: { ran: 2, reused: 1, failed: 0 } })
  tally.batch('ranking/one', 2, 0, 100)
  const done = { tasks: { ran: 1, reused: 0, failed: 0 }, cells: { ran: 4, reused: 1, failed: 0 } }
  expect(counts()).toEqual(done)
  tally.nextRound()
  expect(counts()).toEqual(done)
})
