import { beforeAll, describe, expect, test } from 'vitest'
import { lacking } from './needs.ts'
import { type Cut, cutPower, cutWorkflow, fileSystems, needsOf } from './power-cut.ts'
import { undisturbed } from './workload.ts'

const cuts = 24
const numbers = Array.from({ length: cuts }, (_each, index) => index + 1)

describe.each(fileSystems)('on %s', (kind) => {
  const lack = lacking(`power cut on ${kind}`, needsOf(kind))

  describe.skipIf(lack)('a power cut loses nothing that was reported, and the next run comes to the same results', () => {
    let found: readonly Cut[] = []
    beforeAll(async () => {
      const reference = await undisturbed(cutWorkflow)
      found = await cutPower({ kind, cuts, moments: 'random', seed: 4, reference, converge: true })
    }, 480_000)

    test.for(numbers)('cut %i', (number) => {
      expect(found[number - 1]).toEqual({ told: expect.any(Number), broken: [], afterwards: [] })
    })

    test('a third of the cuts or more are in the middle of the work', () => {
      const last = found.at(-1)?.told ?? 0
      expect(found.filter(({ told }) => told > 0 && told < last).length).toBeGreaterThanOrEqual(cuts / 3)
    })
  })

  describe.skipIf(lack)('a power cut right after a report loses nothing while the file system writes itself out', () => {
    let found: readonly Cut[] = []
    beforeAll(async () => {
      const reference = await undisturbed(cutWorkflow)
      found = await cutPower({ kind, cuts, moments: 'reports', seed: 5, reference, converge: false })
    }, 480_000)

    test.for(numbers)('cut %i', (number) => {
      expect(found[number - 1]).toEqual({ told: expect.any(Number), broken: [], afterwards: [] })
    })
  })
})
