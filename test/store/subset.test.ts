import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { chooseSubset } from '../../engine/store/health/subset.ts'

const digestOf = (number: number) => number.toString(16).padStart(64, '0')

test('⌈1 / share⌉ readings one after another, begun anywhere, read every object', () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 1, maxLength: 60 })
  fc.assert(
    fc.property(sizes, fc.double({ min: 0.01, max: 1, noNaN: true }), fc.nat(60), (bytes, share, start) => {
      const objects = bytes.map((size, index) => ({ digest: digestOf(index), bytes: size }))
      const seen = new Set<string>()
      let cursor: string | null = digestOf(start)
      for (let reading = 0; reading < Math.ceil(1 / share); reading++) {
        const subset = chooseSubset(objects, cursor, share)
        for (const { digest } of subset.chosen) seen.add(digest)
        cursor = subset.cursor
      }
      const unread = objects.filter(({ digest, bytes: size }) => size > 0 && !seen.has(digest))
      expect(unread).toEqual([])
    }),
  )
})

test('a reading goes on behind the last one, takes at least its share, and says how many more reach the end', () => {
  const objects = [10, 20, 30, 40].map((bytes, index) => ({ digest: digestOf(index), bytes }))
  const first = chooseSubset(objects, null, 0.25)
  expect(first).toEqual({ chosen: objects.slice(0, 2), cursor: digestOf(1), more: 3 })
  expect(chooseSubset(objects, first.cursor, 0.25)).toEqual({ chosen: objects.slice(2, 3), cursor: digestOf(2), more: 2 })
  expect(chooseSubset(objects, digestOf(2), 0.25)).toEqual({ chosen: objects.slice(3), cursor: digestOf(3), more: 0 })
  expect(chooseSubset(objects, digestOf(3), 0.25)).toEqual(first)
})

test('an empty store has nothing to read', () => {
  expect(chooseSubset([], digestOf(1), 0.05)).toEqual({ chosen: [], cursor: null, more: 0 })
})
