import { expect, test } from 'vitest'
import { asGiven } from '../../engine/cli/common/places.ts'

test('a command that is told again names the store where it was named, in quotes where a shell needs them', () => {
  expect(asGiven('workflows/night.yaml', undefined)).toBe('workflows/night.yaml')
  expect(asGiven('night 1.yaml', '../stores/big')).toBe("'night 1.yaml' --store ../stores/big")
  expect(asGiven("it's.yaml", '/a b')).toBe(String.raw`'it'\''s.yaml' --store '/a b'`)
})
