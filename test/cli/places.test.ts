import { expect, test } from 'vitest'
import { asGiven } from '../../engine/cli/common/places.ts'

test('a command that is told again names store and devices where they were named, in quotes where a shell needs them', () => {
  expect(asGiven('workflows/night.yaml', {})).toBe('workflows/night.yaml')
  expect(asGiven('night 1.yaml', { store: '../stores/big' })).toBe("'night 1.yaml' --store ../stores/big")
  expect(asGiven("it's.yaml", { store: '/a b' })).toBe(String.raw`'it'\''s.yaml' --store '/a b'`)
  expect(asGiven('night.yaml', { store: 's', device: ['cuda:0', 'cuda:1'] })).toBe('night.yaml --store s --device cuda:0,cuda:1')
})
