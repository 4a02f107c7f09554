import { expect, test } from 'vitest'
import { formerNames } from '../../engine/lineage/former-names.ts'

const axesOf = (name: string) => {
  const [prompt, layer, trait] = name.split(' ') as [string, string, string]
  return { prompt, layer, trait }
}
const names = ['p1 1 kind', 'p1 2 kind', 'p2 1 kind', 'p2 2 rude', 'p3 1 rude']

test('which values earlier cells had is known by axis', () => {
  const former = formerNames(names, axesOf)
  expect([former.has('trait', 'rude'), former.has('trait', 'p1'), former.has('layer', '3'), former.has('step', '1')]).toEqual([
    true,
    false,
    false,
    false,
  ])
})

test.for([
  ['the cell of that name', 'p2 1 kind', 'p2 1 kind'],
  ['one that differs in one axis', 'p3 1 kind', 'p1 1 kind'],
  ['the first of several that do', 'p2 1 rude', 'p2 1 kind'],
  ['one that agrees in one axis alone', 'p9 9 rude', 'p2 2 rude'],
  ['the first where none agrees in anything', 'p9 9 dull', 'p1 1 kind'],
] as const)('the nearest is %s', ([, asked, found]) => {
  expect(formerNames(names, axesOf).nearest(axesOf(asked))).toBe(found)
})

test('a cell was there by name for one that agrees with it in all axes that it has', () => {
  const agrees = (axes: Record<string, string>) => formerNames(names, axesOf).agrees(axes)
  expect([agrees({ ...axesOf('p2 2 rude'), step: '1' }), agrees(axesOf('p2 2 kind')), agrees({ prompt: 'p2', trait: 'rude' })]).toEqual([
    true,
    false,
    false,
  ])
})

test('there is none nearest where there was nothing', () => {
  expect(formerNames([], axesOf).nearest(axesOf('p1 1 kind'))).toBeUndefined()
})

test('cells that are told apart by nothing are all alike', () => {
  expect(formerNames(['list', 'greeting'], () => ({})).nearest({})).toBe('list')
})
