import { expect, test } from 'vitest'
import { cosinesByLayer, type Direction, pairsAmong } from '../../steps/compare/cosines.ts'
import { cosinesMarkdown, layerMarkdown, toldOfOrganisms } from '../../steps/compare/text.ts'

const trait = (name: string, ...numbers: number[]): Direction => ({
  trait: name,
  layer: 2,
  method: 'mean_diff',
  numbers: Float32Array.from(numbers),
})
const random = (...numbers: number[]): Direction => ({ ...trait('random_1', ...numbers), method: 'random' })
const shift = (organism: string, ...numbers: number[]): Direction => ({
  ...trait(organism, ...numbers),
  method: 'shift',
  organism,
})
const rounded = (rows: readonly (readonly number[])[] = []) => rows.map((row) => row.map((number) => Number(number.toFixed(3))))

test('a cosine is of directions, whatever their lengths, and of one layer', () => {
  const layers = cosinesByLayer([{ ...trait('calm', 0, 5), layer: 3 }, trait('calm', 3, 0), trait('kind', 3, 4)])
  expect(layers.map(({ layer, cosines }) => [layer, rounded(cosines)])).toEqual([
    [
      2,
      [
        [1, 0.6],
        [0.6, 1],
      ],
    ],
    [3, [[1]]],
  ])
})

test('two methods of one trait are no pair', () => {
  const layers = cosinesByLayer([trait('calm', 1, 0), { ...trait('calm', 1, 0), method: 'probe' }, trait('kind', 0, 1)])
  expect(pairsAmong(layers, 'trait').map(({ one, other }) => `${one.trait} ${one.method} ${other.trait}`)).toEqual([
    'calm mean_diff kind',
    'calm probe kind',
  ])
})

test('what three organisms or more share is taken out of what is the own of each', () => {
  const [two] = cosinesByLayer([trait('calm', 1, 0), shift('a', 1, 1), shift('b', 1, -1)])
  expect(two?.directions).toHaveLength(3)
  // The mean of the three is (0.87, 0).
  const [three] = cosinesByLayer([trait('calm', 0, 1), shift('a', 1, 0), shift('b', 0.8, 0.6), shift('c', 0.8, -0.6)])
  expect(three?.directions.slice(4).map(({ trait: name, method }) => `${name} ${method}`)).toEqual(['a apart', 'b apart', 'c apart'])
  expect(rounded(three?.cosines.slice(4)).map(([calm]) => calm)).toEqual([0, 0.994, -0.994])
})

test('the text says first which traits each organism is moved along, in bold what it plants', () => {
  const layers = cosinesByLayer([
    trait('calm', 0, 1, 0),
    trait('kind', 0, 0, 1),
    random(1, 0, 0),
    shift('a', 1, 0, 0),
    shift('b', 0.8, 0.6, 0),
    shift('c', 0.8, 0, 0.6),
  ])
  expect(cosinesMarkdown(layers, { b: ['calm'], c: ['calm'] })).toBe(`# How alike directions are

Cosines of 6 vectors of 3 numbers, each with those of its layer: 1 is alike, −1 opposite. That of two directions drawn at random is beyond ±1.15 once in twenty times.

## What organisms are moved along

The traits nearest to where an adapter moves the residual stream, the mean of organism minus clean model. Along the random directions it comes to 1.00 at most, of either sign. Its own part is what is left without the mean of all organisms, which training moves alike to some degree. What an organism plants is the nearest trait of 1 of 2 that plant one of these, and is the nearest to the own part of 1.

| organism | nearest trait | second | nearest to its own part | second |
| --- | --- | --- | --- | --- |
| a | calm 0.00 | kind 0.00 | calm -0.64 | kind -0.64 |
| b | **calm 0.60** | kind 0.00 | **calm 0.88** | kind -0.44 |
| c | kind 0.60 | **calm 0.00** | kind 0.88 | **calm -0.44** |

## Organisms that are moved alike

| organism | organism | cosine |
| --- | --- | --- |
| a | b | 0.80 |
| a | c | 0.80 |
| b | c | 0.64 |

## Traits that point alike, or opposite

| trait | trait | cosine |
| --- | --- | --- |
| calm | kind | 0.00 |

Each with each trait: a file of each layer beside this one. All of them: \`cosines.json\`.
`)
})

test('of many organisms those come first that are moved along a trait most clearly', () => {
  const names = Array.from({ length: 21 }, (_, index) => `o${String(index).padStart(2, '0')}`)
  // Each along a direction of its own, and one after another more along the trait.
  const own = (index: number) => names.map((_, at) => (at === index ? 20 : 0))
  const calm = trait('calm', 1, ...names.map(() => 0))
  const layers = cosinesByLayer([calm, ...names.map((name, index) => shift(name, index, ...own(index)))])
  const rows = (section: string) => section.split('\n').flatMap((line) => (/^\| o\d+ \| calm/.test(line) ? [line.slice(2, 5)] : []))
  const sections = cosinesMarkdown(layers, {}).split('\n## ')
  expect(sections.map((section) => section.split('\n')[0])).toEqual([
    '# How alike directions are',
    'What organisms are moved along',
    'Organisms that are moved alike',
    'Every organism',
  ])
  expect(sections[1]).toContain('of the 10 organisms of which it is clearest.')
  expect([rows(sections[1] as string), rows(sections[3] as string)]).toEqual([names.slice(-10).reverse(), names])
})

test('of traits alone it says which point alike, the clearest first and the opposite too; each pair at the layer where it is clearest', () => {
  const layers = cosinesByLayer([
    trait('calm', 1, 0),
    trait('kind', 0.6, 0.8),
    trait('rude', -1, 0),
    { ...trait('calm', 1, 0), layer: 3 },
    { ...trait('kind', 1, 0), layer: 3 },
  ])
  const text = cosinesMarkdown(layers, {})
  expect(text).not.toContain('organism')
  expect(text.split('\n').filter((line) => /^\| \w+@/.test(line))).toEqual([
    '| calm@2 | rude@2 | -1.00 |',
    '| calm@3 | kind@3 | 1.00 |',
    '| kind@2 | rude@2 | -0.60 |',
  ])
})

test('the table of a layer has all but random directions, by trait; without a trait each with each', () => {
  const [layer] = cosinesByLayer([trait('calm', 0, 1), random(1, 0), shift('a', 0.6, 0.8)])
  expect(layer && layerMarkdown(layer)).toBe(`# Cosines at layer 2

| vector | calm |
| --- | --- |
| calm | 1.00 |
| a:shift | 0.80 |
`)
  const [shifts] = cosinesByLayer([shift('a', 1, 0), shift('b', 0.6, 0.8)])
  expect(shifts && layerMarkdown(shifts).split('\n').slice(4)).toEqual(['| a:shift | 1.00 | 0.60 |', '| b:shift | 0.60 | 1.00 |', ''])
})

test('what a page is told of organisms are the traits nearest to where they are moved', () => {
  const vectors = [trait('calm', 1, 0), trait('kind', 0, 1), shift('alpha', 3, 4)]
  expect(toldOfOrganisms(cosinesByLayer(vectors))).toEqual({
    head: ['nearest traits'],
    organisms: [{ organism: 'alpha', texts: ['kind 0.80, calm 0.60'] }],
  })
  expect(toldOfOrganisms(cosinesByLayer(vectors.slice(0, 2))).organisms).toEqual([])
})
