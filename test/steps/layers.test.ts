import { expect, test } from 'vitest'
import type { Json } from '../../engine/core/json.ts'
import { namedLayerProblems, wantedLayers } from '../../steps/project/layers.ts'

const step = (layers?: Json) => ({ name: 'scores', kind: 'project', params: layers === undefined ? {} : { layers } })

test('layers are those that there are, those of a list for every trait, or those of each trait by its name', () => {
  const wanted = (layers?: Json) => wantedLayers(step(layers), ['calm', 'kind'], [1, 2]).map(({ trait, layer }) => `${trait}@${layer}`)
  expect(wanted()).toEqual(['calm@1', 'calm@2', 'kind@1', 'kind@2'])
  expect(wanted([2])).toEqual(['calm@2', 'kind@2'])
  expect(wanted({ kind: [2, 1], calm: 2 })).toEqual(['calm@2', 'kind@2', 'kind@1'])
})

test('a trait called like something that every object has is missed where it is not named', () => {
  expect(wantedLayers(step({ calm: 2 }), ['calm', 'constructor'], [1, 2]).map(({ trait }) => trait)).toEqual(['calm'])
  expect(namedLayerProblems(step({ calm: 2 }), ['calm', 'constructor'], 'vectors').map(({ message }) => message)).toEqual([
    '`layers` says nothing of the trait constructor',
  ])
})
