import { expect, test } from 'vitest'
import type { Recomputed } from '../../engine/core/recomputed.ts'
import { recomputeText } from '../../engine/report/recompute-text.ts'
import { commonIds, differenceOf } from '../../engine/run/measure/difference.ts'

test('the difference of two lists of numbers has its largest, its length relative to the stored one, and the cosine', () => {
  expect(differenceOf([3, 4], [3, 4])).toEqual({ same: true, maxDelta: 0, relative: 0, cosine: 1 })
  expect(differenceOf([3, 4], [4, -3])).toEqual({ same: false, maxDelta: 7, relative: Math.sqrt(50) / 5, cosine: 0 })
  expect(differenceOf([0, 0], [0, 0])).toEqual({ same: true, maxDelta: 0, relative: 0, cosine: 1 })
  expect(differenceOf([1], [1, 2]).relative).toBe(Number.POSITIVE_INFINITY)
})

test('answers agree up to the first id that differs, and a shorter one up to its end', () => {
  expect([commonIds([1, 2, 3], [1, 2, 3]), commonIds([1, 2, 3], [1, 9, 3]), commonIds([1, 2, 3], [1, 2])]).toEqual([3, 1, 2])
})

test('the report tells drift from what no order of summation explains', () => {
  const since = ['torch 2.12.0, now 2.13.0']
  const cell = (verdict: Recomputed['verdict'], maxDelta: number, cosine: number): Recomputed => {
    const difference = { same: maxDelta === 0, maxDelta, relative: maxDelta / 10, cosine }
    return {
      task: 'scores/a',
      cell: `p@${verdict}`,
      operation: 'project',
      difference,
      ids: null,
      verdict,
      flips: verdict === 'beyond',
      since,
    }
  }
  const answer: Recomputed = {
    task: 'answers/a',
    cell: 'p',
    operation: 'generate',
    difference: null,
    ids: { stored: 9, again: 9, common: 6 },
    verdict: 'drift',
    flips: null,
    since: [],
  }
  const cells = [cell('same', 0, 1), cell('drift', 0.002, 0.9999), cell('beyond', 5, 0.5), answer]
  expect(recomputeText({ cells, failed: [{ task: 'clean/a', cell: 'q@1', reason: 'non-finite' }] })).toMatchInlineSnapshot(`
    "computed again: 5 cells, beside the store; nothing in it was changed
      operation    cells  same bits  drift  beyond   max |Δ| lowest cosine
      generate         1          0      1       0
      project          3          1      1       1       5.0    0.50000000
      token ids: the same in 0 of 1
        answers/a:p  differs from id 7 of 9 on
      highest answer along a vector: 1 of 3 would be another one
      computed by others than then:
        torch 2.12.0, now 2.13.0: 2 of 3 cells that differ
    beyond what another order of summation explains:
      scores/a:p@beyond  50 % of its length, cosine 0.500000
    failed:
      clean/a:q@1  non-finite
    "
  `)
})
