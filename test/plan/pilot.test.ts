import { expect, test } from 'vitest'
import { goesOn, type PilotResult, pilotSources, projected } from '../../engine/plan/pilot.ts'
import type { Forecast } from '../../engine/plan/forecast.ts'
import type { Sources } from '../../engine/core/sources.ts'
import { fixtureGraphs } from '../fingerprint/fixture.ts'

const set = (name: string, size: number) => ({
  name,
  path: `${name}.json`,
  systemPrompt: null,
  prompts: Array.from({ length: size }, (_, index) => ({ id: `${name}_${index}`, text: '?', note: '' })),
})
const organism = (name: string) => ({ name, origin: name, path: null, digest: name, plants: [] })
const sources: Sources = {
  models: new Map(),
  organisms: ['idle', 'alpha', 'beta'].map(organism),
  promptSets: [set('one', 165), set('two', 60), set('three', 50)],
  traits: [],
}
const [graph] = fixtureGraphs() as [ReturnType<typeof fixtureGraphs>[number]]
const slice = (organisms: number, prompts: number | null) => {
  const { organisms: chosen, promptSets } = pilotSources(sources, graph, { organisms, prompts, goOnWithin: 1.5 })
  return [chosen.map(({ name }) => name), ...promptSets.map(({ prompts: own }) => own.length)]
}

test('a pilot takes the first organisms that are at work, and of every set the first prompts in proportion', () => {
  expect(slice(1, 45)).toEqual([['alpha'], 33, 12, 10])
  expect(slice(2, 1)).toEqual([['alpha', 'beta'], 1, 1, 1])
  expect(slice(9, 1000)).toEqual([['alpha', 'beta'], 165, 60, 50])
  expect(slice(1, null)).toEqual([['alpha'], 165, 60, 50])
})

test('the whole run is what the pilot took and what is left, whose bytes go with the length of answers', () => {
  const left = { seconds: 100, bytes: 4000 } as Forecast
  expect(projected({ seconds: 10, bytes: 50 }, left, 0.5)).toEqual({ seconds: 110, bytes: 2050 })
  expect(projected({ seconds: 10, bytes: 50 }, left, null)).toEqual({ seconds: 110, bytes: 4050 })
})

test('the rest follows within so many times the forecast, in hours and in bytes', () => {
  const result = (seconds: number, bytes: number): PilotResult => ({
    seconds: 1,
    bytes: 1,
    answeredShare: null,
    forecast: { seconds: 100, bytes: 1000 },
    projected: { seconds, bytes },
    goOnWithin: 1.5,
  })
  expect([result(150, 1500), result(151, 10), result(10, 1501)].map(goesOn)).toEqual([true, false, false])
})
