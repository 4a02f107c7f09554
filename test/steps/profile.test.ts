import { expect, test } from 'vitest'
import type { Matrix } from '../../steps/common/matrix.ts'
import { emptyMatrix } from '../support/matrix.ts'
import { bestClause, higher, profileMarkdown } from '../../steps/rank/profile.ts'

const clause = (text: string, score: number) => ({ text, score, promptSet: 'one', promptId: 'one_1' })

test('the clause that scores highest in any of the listed responses is told with its prompt', () => {
  const top = [
    { prompt_id: 'one_2', top_clauses: [{ text: 'so', score: 2 }] },
    {
      prompt_id: 'one_1',
      top_clauses: [
        { text: 'very', score: 3 },
        { text: 'much', score: 1 },
      ],
    },
    { prompt_id: 'one_3', top_clauses: [{ text: 'indeed', score: 3 }] },
  ]
  expect(bestClause({ prompt_set: 'one', top })).toEqual(clause('very', 3))
  expect(bestClause({ prompt_set: 'one', top: [{ prompt_id: 'one_1', top_clauses: [] }] })).toBe(null)
  expect(higher(undefined, clause('a', -1))).toEqual(clause('a', -1))
  expect(higher(clause('a', 1), clause('b', 2))).toEqual(clause('b', 2))
  expect(higher(clause('a', 1), clause('b', 1))).toEqual(clause('a', 1))
})

const matrix: Matrix = {
  ...emptyMatrix,
  promptSets: ['one', 'two'],
  columns: ['calm', 'kind', 'random_1'],
  random: ['random_1'],
  plants: { alpha: ['kind'] },
}
const clauses = new Map([
  ['kind', clause('You | are\n<kind>', 7.125)],
  ['calm', clause('calm.', -1)],
])

test('the page of an organism begins with the trait on which it lies farthest from the others, of either sign', () => {
  const row = { organism: 'alpha', values: [5, -2, 0.5], cohensD: [1.5, null, 9], modifiedZ: [0.25, -4, 1] }
  expect(profileMarkdown(matrix, row, clauses)).toBe(`# alpha

Mean response_mean over one, two; organism minus clean model. What lies farthest from the other organisms first, with the highest clause along it. It is said to plant kind.

| trait | mean | Cohen's d | z | clause | its mean | of |
| --- | --- | --- | --- | --- | --- | --- |
| kind | -2.00 | – | -4.00 | You \\| are &lt;kind> | 7.13 | one / one_1 |
| random_1 | 0.50 | 9.00 | 1.00 |  |  |  |
| calm | 5.00 | 1.50 | 0.25 | calm. | -1.00 | one / one_1 |
`)
})

test('among few organisms the clearest trait stands first, and of an organism alone the one along which it points farthest', () => {
  const order = (text: string) => text.split('\n').flatMap((line) => /^\| (calm|kind|random_1) /.exec(line)?.[1] ?? [])
  const row = { organism: 'alpha', values: [5, -2, 6], modifiedZ: [null, null, null] }
  expect(order(profileMarkdown(matrix, { ...row, cohensD: [1.5, -3, 0.5] }, clauses))).toEqual(['kind', 'calm', 'random_1'])
  expect(order(profileMarkdown({ ...matrix, mode: 'raw' }, row, clauses))).toEqual(['random_1', 'calm', 'kind'])
})
