import { expect, test } from 'vitest'
import { gapsBetween } from '../../steps/rank/between-sets.ts'
import { type Across, matrixOf } from '../../steps/rank/matrix.ts'
import { modifiedZ } from '../../steps/rank/outliers.ts'
import { plantedColumns, plantedTraits } from '../../steps/rank/planted.ts'
import { cohensD, cohensDBetween, pooled, spreadOf } from '../../steps/common/spread.ts'
import { matrixMarkdown } from '../../steps/rank/overview-text.ts'
import { emptyMatrix } from '../support/matrix.ts'

function across(prompt_set: string, means: readonly number[], mode = 'diff'): Across {
  const { count, mean, std } = spreadOf(means)
  const others = { max_token: 0, top3_mean: 0, top5_mean: 0, response_std: 0 }
  const alpha = { organism: 'alpha', responses: count, response_mean: mean, std_of_response_mean: std, ...others }
  return { trait: 'kind', layer: 2, method: 'mean_diff', prompt_set, mode, by: 'response_mean', organisms: [alpha] }
}

test('the matrix weighs each response once, whatever prompt set it is from', () => {
  expect(matrixOf([across('one', [0, 1, 2]), across('two', [5])], ['alpha'])).toEqual({
    by: 'response_mean',
    mode: 'diff',
    promptSets: ['one', 'two'],
    columns: ['kind'],
    random: [],
    // The mean of 0, 1, 2 and 5 is 2, their sample variance 14 / 3.
    rows: [{ organism: 'alpha', values: [2], cohensD: [0.9258], modifiedZ: [null] }],
    bySet: [
      { promptSet: 'one', rows: [{ organism: 'alpha', values: [1], cohensD: [1], modifiedZ: [null] }] },
      { promptSet: 'two', rows: [{ organism: 'alpha', values: [5], cohensD: [null], modifiedZ: [null] }] },
    ],
    planted: [],
    plants: {},
    // The standard deviation within the sets is that of the first, 1.
    betweenSets: [
      { organism: 'alpha', column: 'kind', higher: { promptSet: 'two', mean: 5 }, lower: { promptSet: 'one', mean: 1 }, cohensD: 4 },
    ],
  })
})

test('columns are named by what tells their vectors apart', () => {
  const columns = (...vectors: [trait: string, layer: number, method: string][]) =>
    matrixOf(
      vectors.map(([trait, layer, method]) => ({ ...across('one', [1]), trait, layer, method })),
      ['alpha'],
    ).columns
  expect(columns(['calm', 2, 'mean_diff'], ['kind', 2, 'mean_diff'], ['random_1', 2, 'random'])).toEqual(['calm', 'kind', 'random_1'])
  expect(columns(['calm', 2, 'mean_diff'], ['calm', 2, 'probe'], ['kind', 2, 'probe'])).toEqual(['calm:mean_diff', 'calm:probe', 'kind'])
  expect(columns(['calm', 2, 'mean_diff'], ['kind', 3, 'mean_diff'])).toEqual(['calm@2', 'kind@3'])
  expect(columns(['calm', 2, 'mean_diff'], ['calm', 3, 'probe'])).toEqual(['calm@2:mean_diff', 'calm@3:probe'])
})

test('what random directions come to is told first, and is nothing that stands out', () => {
  const rows = ['a', 'b', 'c', 'd', 'e'].map((organism, index) => ({
    organism,
    values: [index, index - 9, 0.5],
    cohensD: [index, index === 3 ? null : -index, 0.25],
    modifiedZ: [index, index === 4 ? -8.25 : 0, null],
  }))
  const columns = ['calm', 'random_1', 'random_2']
  const matrix = {
    ...emptyMatrix,
    columns,
    random: ['random_1', 'random_2'],
    rows,
  }
  const lines = matrixMarkdown(matrix).split('\n')
  expect(lines[4]).toBe(
    "Along 2 random directions the organisms come to a mean of 9.00, a Cohen's d of 4.00 and a z of 8.25 at most, of either sign: so much says nothing about a trait.",
  )
  expect(lines.filter((line) => line.split(' | ').length === 5 && line.includes('random'))).toEqual([])
  const raw = {
    ...matrix,
    mode: 'raw',
    random: ['random_2'],
    rows: rows.map(({ organism, values, modifiedZ: zs }) => ({ organism, values, modifiedZ: zs })),
  }
  expect(matrixMarkdown(raw).split('\n')[4]).toBe(
    'Along one random direction the organisms come to a mean of 0.50 at most, of either sign: so much says nothing about a trait.',
  )
})

test('an organism alone has no difference to be clear or not', () => {
  expect(matrixOf([across('one', [0, 1, 2], 'raw')], ['alpha']).rows).toEqual([{ organism: 'alpha', values: [1], modifiedZ: [null] }])
})

test('the spread of two parts together is that of all their values', () => {
  const [one, two] = [
    [3, -1, 4, 1],
    [-5, 9, 2],
  ] as const
  const whole = spreadOf([...one, ...two])
  const together = pooled([spreadOf(one), spreadOf(two)])
  expect(together.count).toBe(7)
  expect(together.mean).toBeCloseTo(whole.mean, 12)
  expect(together.std).toBeCloseTo(whole.std, 12)
})

test('a difference is as clear as its mean has standard deviations, and nothing is said of one response or of equal ones', () => {
  expect(cohensD(spreadOf([1, 3]))).toBe(2 / Math.SQRT2)
  expect(cohensD(spreadOf([-1, -3]))).toBe(-2 / Math.SQRT2)
  expect(cohensD(spreadOf([7]))).toBe(null)
  expect(cohensD(spreadOf([0.1, 0.1, 0.1]))).toBe(null)
  expect(cohensD(spreadOf([0, 0]))).toBe(null)
})

test('how far an organism lies from the others is told by their median, which the far ones do not move', () => {
  // Median 3, deviations from it 2, 1, 0, 1 and 97, whose median is 1.
  expect(modifiedZ([1, 2, 3, 4, 100])).toEqual([-2 * 0.6745, -0.6745, 0, 0.6745, 97 * 0.6745])
  // Median 2.5, deviations 1.5, 0.5, 0.5, 1.5, 3.5 and 7.5, whose median is 1.5.
  expect(modifiedZ([1, 2, 3, 4, 6, -5])).toEqual([-0.6745, -0.6745 / 3, 0.6745 / 3, 0.6745, (3.5 * 0.6745) / 1.5, -5 * 0.6745])
})

test('of fewer than five organisms, and where half of them are the same, nothing says what is usual', () => {
  expect(modifiedZ([1, 2, 3, 4])).toEqual([null, null, null, null])
  expect(modifiedZ([0.1, 0.1, 0.1, 4, 9])).toEqual([null, null, null, null, null])
})

test('what stands out is told first, the farthest of both signs before the others', () => {
  const rows = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((organism, index) => ({
    organism,
    values: [index === 2 ? -9 : index, index * index],
    cohensD: [index / 2, null],
    modifiedZ: [index === 2 ? -12.5 : index / 4, index === 7 ? 6 : null],
  }))
  const matrix = {
    ...emptyMatrix,
    columns: ['calm', 'kind'],
    rows,
  }
  expect(matrixMarkdown(matrix).split('\n').slice(2, 14)).toEqual([
    'Mean response_mean over one; organism minus clean model.',
    '',
    '## What stands out',
    '',
    'How far an organism lies from the others on a trait: its modified z-score (median and median absolute deviation); beyond 3.5 is taken for an outlier.',
    '',
    "| organism | trait | mean | Cohen's d | z |",
    '| --- | --- | --- | --- | --- |',
    '| c | calm | -9.00 | 1.00 | -12.50 |',
    '| h | kind | 49.00 | – | 6.00 |',
    '| h | calm | 7.00 | 3.50 | 1.75 |',
    '| g | calm | 6.00 | 3.00 | 1.50 |',
  ])
  const many = { ...matrix, rows: [...rows, ...rows, ...rows] }
  expect(
    matrixMarkdown(many)
      .split('\n')
      .filter((line) => line.startsWith('| ') && line.split(' | ').length === 5).length,
  ).toBe(2 + 10)
})

test('prompt sets lie as far apart as their means do in the standard deviation within them', () => {
  // Within: squares 2 and 8 about the means 1 and 6, over 3 + 3 − 2 values: a variance of 2.5.
  expect(cohensDBetween(spreadOf([0, 1, 2]), spreadOf([4, 6, 8]))).toBe(-5 / Math.sqrt(2.5))
  expect(cohensDBetween(spreadOf([0, 1, 2]), spreadOf([5]))).toBe(-4)
  expect(cohensDBetween(spreadOf([1]), spreadOf([2]))).toBe(null)
  expect(cohensDBetween(spreadOf([1, 1]), spreadOf([2, 2]))).toBe(null)
})

test('a planted trait is found as far as it tells the organisms that plant it from the others', () => {
  const columns = [
    { column: 'calm', trait: 'calm' },
    { column: 'kind@2', trait: 'kind' },
    { column: 'kind@3', trait: 'kind' },
  ]
  const row = (organism: string, values: number[], zs: (number | null)[]) => ({ organism, values, cohensD: [9, 0, 0], modifiedZ: zs })
  const rows = [
    row('alpha', [0, 5, 1], [0, 1, 2]),
    row('beta', [0, 3, 1], [0, 4, 3]),
    row('gamma', [0, 4, 1], [null, null, null]),
    row('delta', [7, 1, 1], [0, 0, 0]),
  ]
  const plants = { alpha: ['kind'], beta: ['rude', 'kind'], delta: ['calm'] }
  expect(plantedTraits(columns, rows, plants)).toEqual([
    { column: 'calm', organisms: 1, auc: 1, highest: 1 },
    // alpha lies before gamma and delta, beta before delta alone; kind@2 is the highest of beta's.
    { column: 'kind@2', organisms: 2, auc: 0.75, highest: 1 },
    { column: 'kind@3', organisms: 2, auc: 0.5, highest: 1 },
  ])
  expect(plantedColumns(columns, plants)).toEqual({ alpha: ['kind@2', 'kind@3'], beta: ['kind@2', 'kind@3'], delta: ['calm'] })
  expect(plantedTraits(columns, rows, { alpha: ['calm'], beta: ['calm'], gamma: ['calm'], delta: ['calm'] })).toEqual([])
  expect(plantedTraits(columns, [row('alpha', [1, 2, 0], [null, null, null])], {})).toEqual([])
})

test('of each organism and trait the two prompt sets that lie farthest apart are told, the farthest of all first', () => {
  const on = (promptSet: string, ...values: number[]) => ({ promptSet, spread: spreadOf(values) })
  expect(
    gapsBetween([
      { organism: 'alpha', column: 'calm', sets: [on('one', 0, 2), on('two', 3, 5), on('three', 1, 3)] },
      { organism: 'alpha', column: 'kind', sets: [on('one', 9, 11), on('two', 0, 2)] },
      { organism: 'beta', column: 'calm', sets: [on('one', 4, 4), on('two', 4, 4)] },
      { organism: 'beta', column: 'kind', sets: [on('one', 4, 5)] },
    ]),
  ).toEqual([
    { organism: 'alpha', column: 'kind', higher: { promptSet: 'one', mean: 10 }, lower: { promptSet: 'two', mean: 1 }, cohensD: 6.364 },
    { organism: 'alpha', column: 'calm', higher: { promptSet: 'two', mean: 4 }, lower: { promptSet: 'one', mean: 1 }, cohensD: 2.1213 },
  ])
})

test('the overview has the means, then how clear they are, each with the highest of an organism in bold, and where prompt sets differ', () => {
  const rows = [
    { organism: 'alpha', values: [2, 3], cohensD: [1.5, 0.25], modifiedZ: [null, null] },
    { organism: 'beta', values: [-1, -2], cohensD: [null, -4], modifiedZ: [null, null] },
  ]
  const matrix = {
    ...emptyMatrix,
    promptSets: ['one', 'two'],
    columns: ['calm', 'kind'],
    planted: [{ column: 'kind', organisms: 2, auc: 0.875, highest: 1 }],
    betweenSets: [
      { organism: 'beta', column: 'kind', higher: { promptSet: 'two', mean: 3 }, lower: { promptSet: 'one', mean: -7 }, cohensD: 1.25 },
    ],
    rows,
  }
  expect(matrixMarkdown(matrix)).toBe(`# Organisms × traits

Mean response_mean over one, two; organism minus clean model.

## What was planted

How well a trait tells the organisms that plant it from all others: the share of pairs of one of each of which the planting one has the higher mean (AUC); and for how many it is the highest of their own traits.

| trait | planted in | AUC | highest of theirs |
| --- | --- | --- | --- |
| kind | 2 | 0.88 | 1 of 2 |

## Means

| organism | calm | kind |
| --- | --- | --- |
| alpha | 2.00 | **3.00** |
| beta | **-1.00** | -2.00 |

## Cohen's d

How clear the difference is: the mean of its response_mean in standard deviations among the responses. Without a unit, so it compares between traits and layers.

| organism | calm | kind |
| --- | --- | --- |
| alpha | **1.50** | 0.25 |
| beta | – | **-4.00** |

## Where prompt sets differ

The two prompt sets on which an organism is farthest from the clean model unalike: how far their means of response_mean lie apart, in their pooled standard deviation.

| organism | trait | higher on | mean | lower on | mean | Cohen's d |
| --- | --- | --- | --- | --- | --- | --- |
| beta | kind | two | 3.00 | one | -7.00 | 1.25 |

Rankings by trait and prompt set, and in \`organisms\` a page of each organism, stand beside this file.
`)
})
