import { expect, test } from 'vitest'
import { steeredId, steeredOf } from '../../steps/common/answer-ids.ts'
import { effectsOf, isBroken, pairsOf, type ReadAnswer, repeatedShare } from '../../steps/steer/effects.ts'
import type { OfOrganisms } from '../../steps/steer/brought-out.ts'
import { steeringFiles } from '../../steps/steer/text.ts'

const calm = 'calm@2:mean_diff'
const bold = 'bold@2:mean_diff'
const noise = 'random_1@2:random'

/** An answer that lies so far along each direction. */
const answer = (
  steered: readonly [direction: string, amount: number] | null,
  means: readonly [calm: number, bold: number, noise?: number],
  more: Partial<ReadAnswer> = {},
): ReadAnswer => ({
  organism: null,
  promptSet: 'one',
  prompt: 'p1',
  text: 'Why?',
  steered: steered && { direction: steered[0], amount: steered[1], times: false },
  response: steered ? `${steered[0].split('@')[0]} by ${steered[1]}` : 'plain',
  repeats: 0,
  means: new Map([[calm, means[0]], [bold, means[1]], ...(means[2] === undefined ? [] : [[noise, means[2]] as const])]),
  ...more,
})

const filesOf = (answers: readonly ReadAnswer[], of: OfOrganisms = { shifts: new Set(), plants: {} }) => steeringFiles(answers, of)

const p2 = { prompt: 'p2' }
const both = [
  answer(null, [10, 1]),
  answer(null, [20, 1], p2),
  answer([calm, 4], [13, 0]),
  answer([calm, 4], [25, 2], p2),
  answer([bold, -4], [10, 0.5]),
  answer([bold, -4], [20, -0.5], p2),
]

test.for([
  [{ direction: calm, amount: -0.5, times: false }, 'p1~calm@2:mean_diff~-0.5'],
  [{ direction: calm, amount: 1.5, times: true }, 'p1~calm@2:mean_diff~1.5x'],
] as const)('the name of an answer that is steered by %j says so', ([steered, name]) => {
  expect(steeredId('p1', steered)).toBe(name)
  expect([steeredOf(name), steeredOf('p1')]).toEqual([
    { prompt: 'p1', steered },
    { prompt: 'p1', steered: null },
  ])
})

test('an effect is the mean of what answers to the same prompts differ by, with its paired effect size', () => {
  const [along, against] = effectsOf(pairsOf(both))
  expect({ ...along, changes: [...(along?.changes ?? [])] }).toEqual({
    organism: null,
    direction: calm,
    amount: 4,
    times: false,
    answers: 2,
    repeats: 0,
    repeatsBefore: 0,
    changes: [
      [calm, { mean: 4, cohensD: 4 / Math.SQRT2 }],
      [bold, { mean: 0, cohensD: 0 }],
    ],
  })
  expect([against?.direction, against?.amount, against?.changes.get(bold)?.mean]).toEqual([bold, -4, -1])
  expect(against?.changes.get(bold)?.cohensD).toBeCloseTo(-Math.SQRT2, 12)
})

test('answers of an organism are held against its own, not against those of the clean model', () => {
  const of = { organism: 'alpha' }
  const effects = effectsOf(pairsOf([...both, answer(null, [100, 0], of), answer([calm, 4], [107, 0], of)]))
  expect(effects.map(({ organism, direction, changes }) => [organism, direction, changes.get(calm)?.mean])).toEqual([
    [null, calm, 4],
    [null, bold, 0],
    ['alpha', calm, 7],
  ])
})

test.for([
  [['a', 'b'], 0],
  [['a', 'b', 'c', 'd'], 0],
  [['a', 'a', 'a', 'a', 'a'], 2 / 3],
  [['a', 'b', 'c', 'a', 'b', 'c', 'a', 'b', 'c'], 4 / 7],
] as const)('of %j the share of runs of three that stood before is %d', ([tokens, share]) => {
  expect(repeatedShare(tokens)).toBeCloseTo(share, 12)
})

test('answers are broken that repeat themselves by more than a fifth more than without steering', () => {
  expect(isBroken({ repeats: 0.5, repeatsBefore: 0.31 })).toBe(false)
  expect(isBroken({ repeats: 0.5, repeatsBefore: 0.29 })).toBe(true)
})

test('the summary has what each direction does by each amount, beside random ones, and the answers that move furthest', () => {
  const all = [
    answer(null, [10, 1, 0]),
    answer([calm, 4], [12, 0, 0]),
    answer([calm, 8], [19, 0, 0], { repeats: 0.4 }),
    answer([bold, 4], [9, 2, 0]),
    answer([bold, 8], [9, 9, 0]),
    answer([noise, 4], [9.5, 2.5, 3]),
    answer([noise, 8], [9.5, 2.5, 7]),
  ]
  expect(filesOf(all)['summary.md']?.split('\n')).toEqual([
    '# What steering along directions brings out',
    '',
    'So much is added to the residual stream along a direction, at every token of a prompt and of its answer; then the clean model reads the answers without it. Figures are how far the answers to 1 prompt move along the direction itself, on average, from those that were not steered. In brackets they repeat themselves, in over a fifth more of their runs of three tokens, and say little of a trait. **Bold** is further than the random direction takes answers along it, by as much.',
    '',
    '| steered along | by 4 | by 8 |',
    '| --- | --- | --- |',
    '| calm | **2.00** | (9.00) |',
    '| bold | 1.00 | **8.00** |',
    '',
    '## In their words',
    '',
    'Of each direction the answer that moves furthest along it, of those that do not repeat themselves.',
    '',
    '| steered along | by | prompt | not steered | steered |',
    '| --- | --- | --- | --- | --- |',
    '| calm | 4 | p1 | plain | calm by 4 |',
    '| bold | 8 | p1 | plain | bold by 8 |',
    '',
    'What each direction does to the others: a file of each layer beside this one. All answers: `answers/`, and with what was read in each `answers.jsonl`. All figures: `effects.json`.',
    '',
  ])
})

test('of several layers the summary says at which a trait is brought out most clearly', () => {
  const deep = 'calm@5:mean_diff'
  const read = (steered: readonly [string, number] | null, shallow: number, deeper: number, more = {}): ReadAnswer =>
    answer(steered, [0, 0], {
      ...more,
      means: new Map([
        [calm, shallow],
        [deep, deeper],
      ]),
    })
  const all = [
    read(null, 0, 0),
    read(null, 0, 0, p2),
    read([calm, 4], 3, 1),
    read([calm, 4], 5, 1, p2),
    read([deep, 4], 0, 9),
    read([deep, 4], 0, 1, p2),
  ]
  const text = filesOf(all)['summary.md'] ?? ''
  expect(text).toContain(`## At which layer

Of each trait the layer and the amount that move answers most clearly the way they are steered, by Cohen's d.

| steered along | by | mean | Cohen's d |
| --- | --- | --- | --- |
| calm@2:mean_diff | 4 | 4.00 | 2.83 |

## Behind layer 2

| steered along | by 4 |
| --- | --- |
| calm@2 | 4.00 |

## Behind layer 5

| steered along | by 4 |
| --- | --- |
| calm@5 | 5.00 |
`)
})

test('amounts in lengths of the vectors are told as such', () => {
  const steered = { direction: calm, amount: 1.5, times: true }
  const files = filesOf([answer(null, [10, 1]), { ...answer([calm, 1.5], [13, 0]), steered }])
  expect(files['summary.md']).toContain('| steered along | by 1.5x |\n| --- | --- |\n| calm | 3.00 |\n')
  expect(files['layer2.md']).toContain('| calm | 1.5x | 3.00 | -1.00 |')
  expect(files['answers/calm@2.mean_diff.md']).toContain('**By 1.5x**\n')
  expect(JSON.parse(files['effects.json'] ?? '')[0]).toMatchObject({ steered_along: calm, times: 1.5 })
})

test('answers that begin alike are shown from the word in which they part', () => {
  const begin = 'It is a beautiful and simple poem, '
  const all = [answer(null, [0, 0], { response: `${begin}but not clear.` }), answer([calm, 4], [9, 0], { response: `${begin}bravo!` })]
  expect(filesOf(all)['summary.md']).toContain('| calm | 4 | p1 | … but not clear. | … bravo! |\n')
})

test('a direction that is taken out of organisms shows where their answers go the other way', () => {
  const of = { organism: 'alpha' }
  const files = filesOf([answer(null, [30, 1], of), answer([calm, -4], [18, 1], of), answer([calm, -2], [25, 1], of)])
  expect(files['summary.md']).toContain(
    '| organism | steered along | by -4 | by -2 |\n| --- | --- | --- | --- |\n| alpha | calm | -12.00 | -5.00 |\n',
  )
  expect(files['summary.md']).toContain('| alpha | calm | -4 | p1 | plain | calm by -4 |\n')
  expect(files['layer2.md']).toContain("| organism | steered along | by | calm | bold | own Cohen's d | repeats |\n")
})

test('every answer is a line with what was read in it', () => {
  const lines = filesOf([
    answer(null, [10, 1]),
    answer([calm, -4], [8.5, 1], { organism: 'alpha' }),
    answer(null, [9, 1], { organism: 'alpha' }),
  ])['answers.jsonl']
  expect(lines?.split('\n').map((line) => (line === '' ? null : JSON.parse(line)))).toEqual([
    { prompt_set: 'one', prompt_id: 'p1', prompt: 'Why?', response: 'plain', repeats: 0, means: { [calm]: 10, [bold]: 1 } },
    {
      organism: 'alpha',
      prompt_set: 'one',
      prompt_id: 'p1',
      steered_along: calm,
      by: -4,
      prompt: 'Why?',
      response: 'calm by -4',
      repeats: 0,
      means: { [calm]: 8.5, [bold]: 1 },
    },
    {
      organism: 'alpha',
      prompt_set: 'one',
      prompt_id: 'p1',
      prompt: 'Why?',
      response: 'plain',
      repeats: 0,
      means: { [calm]: 9, [bold]: 1 },
    },
    null,
  ])
})

test('the page of a direction has every answer below its prompt, the one that is not steered first', () => {
  expect(filesOf(both)['answers/calm@2.mean_diff.md']).toBe(`# Steered along calm@2:mean_diff

## one / p1

> Why?

**Not steered**

> plain

**By 4**

> calm by 4

## one / p2

> Why?

**Not steered**

> plain

**By 4**

> calm by 4
`)
})

const ofCalmer = 'calmer@2:shift'
const ofBolder = 'bolder@2:shift'
const ofOrganisms: OfOrganisms = { shifts: new Set([ofCalmer, ofBolder]), plants: { calmer: ['calm'], bolder: ['bold'] } }
const alongShifts = [
  answer(null, [10, 1, 0]),
  answer([calm, 2], [30, 0, 0]),
  answer([ofCalmer, 1], [14, 2, 0]),
  answer([ofCalmer, 2], [18, 4, 0]),
  answer([ofCalmer, 4], [90, 4, 0], { repeats: 0.9 }),
  answer([ofCalmer, -2], [60, 0, 0]),
  answer([ofBolder, 2], [15, 2, 0]),
  answer([noise, 2], [11, 4, 3]),
]

test('what organisms do brings out traits in the clean model: of each by the strongest steering that leaves its answers whole', () => {
  const files = filesOf(alongShifts, ofOrganisms)
  const summary = files['summary.md']?.split('\n') ?? []
  const at = summary.indexOf('## What the organisms’ own directions bring out')
  expect(summary.slice(at, at + 8)).toEqual([
    '## What the organisms’ own directions bring out',
    '',
    'The clean model steered along what an adapter does on average, its shift, by the most that leaves its answers whole: the traits along which they move furthest. In brackets it is no further than random directions take them. What an organism plants, in bold, is brought out most for 1 of 2 that plant one of these.',
    '',
    '| steered along | by | furthest | second | third |',
    '| --- | --- | --- | --- | --- |',
    '| calmer:shift | 2 | **calm 8.00** | bold (3.00) | – |',
    '| bolder:shift | 2 | calm 5.00 | **bold (1.00)** | – |',
  ])
  expect(JSON.parse(files['organisms.json'] as string)).toEqual({
    head: ['brought out by its direction'],
    organisms: [
      { organism: 'calmer', texts: ['calm 8.00, bold 3.00'] },
      { organism: 'bolder', texts: ['calm 5.00, bold 1.00'] },
    ],
  })
})

test('where organisms are steered themselves, or along no shift, nothing is said of their own directions', () => {
  for (const files of [
    filesOf(both),
    filesOf(
      alongShifts.map((one) => ({ ...one, organism: 'alpha' })),
      ofOrganisms,
    ),
  ]) {
    expect(files['summary.md']).not.toContain('own directions')
    expect(files['organisms.json']).toBeUndefined()
  }
})
