import { expect, test } from 'vitest'
import { vectorRemarks } from '../../steps/extract/remarks.ts'
import { answerRemarks } from '../../steps/generate/remarks.ts'
import { shiftRemarks } from '../../steps/shift/remarks.ts'

test('answers that were cut and empty ones are counted', () => {
  const answer = (finish_reason: string, response_tokens: number) => ({ cell: 'a', facts: { finish_reason, response_tokens } })
  expect(answerRemarks([answer('stop', 2), answer('stop', 40)])).toEqual([])
  expect(answerRemarks([answer('length', 40), answer('stop', 1), answer('length', 1)])).toEqual([
    '2 of 3 answers were cut at max_new_tokens',
    '1 of 3 answers is empty',
  ])
  expect(answerRemarks([answer('length', 40)])).toEqual(['1 of 1 answer was cut at max_new_tokens'])
})

test('vectors that hardly tell held-out examples apart are named, the first of many', () => {
  const vector = (cell: string, held_out_auc: number | null) => ({ cell, facts: { held_out_auc } })
  expect(vectorRemarks([vector('a@1:probe', 0.75), vector('b@1:probe', null), { cell: 'adopted', facts: { norm: 1 } }])).toEqual([])
  expect(vectorRemarks(['a', 'b', 'c', 'd', 'e'].map((name, index) => vector(`${name}@1:probe`, 0.5 + index / 20)))).toEqual([
    'hardly better than chance on held-out examples, AUC below 0.75: a@1:probe (0.50), b@1:probe (0.55), c@1:probe (0.60), d@1:probe (0.65) and 1 more',
  ])
})

test('shifts of answers that are not moved alike are named with how alike they are', () => {
  const shift = (cell: string, consistency: number, answers: number) => ({ cell, facts: { norm: 1, consistency, answers } })
  expect(shiftRemarks([shift('a@2:shift', 0.5, 16), shift('b@2:shift', 0.93, 275), shift('c@2:shift', 1, 1)])).toEqual([])
  expect(shiftRemarks([shift('a@2:shift', 0.49, 16), shift('b@2:shift', 0.12, 275)])).toEqual([
    'hardly more than chance, since their answers are not moved alike: a@2:shift (consistency 0.49 of 16 answers), b@2:shift (consistency 0.12 of 275 answers)',
  ])
})
