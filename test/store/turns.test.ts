import { expect, test } from 'vitest'
import { turns } from '../../engine/store/turns.ts'

/** What has happened when a turn was waited for, with something else that was to happen before. */
async function happenedAfter(atMost: number): Promise<readonly string[]> {
  const happened: string[] = []
  const turn = turns(atMost)
  setImmediate(() => happened.push('something else'))
  await turn()
  return [...happened]
}

test('long work lets everything else have its turn, and short work goes on', async () => {
  expect([await happenedAfter(0), await happenedAfter(Number.POSITIVE_INFINITY)]).toEqual([['something else'], []])
})
