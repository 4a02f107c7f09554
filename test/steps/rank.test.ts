import { expect, test } from 'vitest'
import type { Task } from '../../engine/core/step-kind.ts'
import { difference } from '../../steps/common/answers.ts'
import { metricsOf } from '../../steps/common/metrics.ts'
import { clausesOf } from '../../steps/rank/clauses.ts'
import { rankOperation } from '../../steps/rank/operations.ts'
import { rankResponses } from '../../steps/rank/ranking.ts'

test('the five metrics of a response', () => {
  expect(metricsOf([1, 5, 3, 2, 4, 0])).toEqual({
    max_token: 5,
    top3_mean: 4,
    top5_mean: 3,
    response_mean: 2.5,
    response_std: Math.sqrt(3.5),
  })
})

test('a response shorter than a metric asks for is averaged over the tokens it has', () => {
  expect(metricsOf([2, 4])).toEqual({ max_token: 4, top3_mean: 3, top5_mean: 3, response_mean: 3, response_std: Math.SQRT2 })
  expect(metricsOf([])).toEqual({ max_token: 0, top3_mean: 0, top5_mean: 0, response_mean: 0, response_std: 0 })
})

test('a clause ends after a token that holds a mark, and scores the mean of its tokens', () => {
  expect(clausesOf(['Well', ',', ' you', ' are', ' great', '!\n', ' Bye'], [1, 3, 2, 4, 6, 0, 5])).toEqual([
    { text: 'Well,', start: 0, tokens: 2, score: 2 },
    { text: 'you are great!', start: 2, tokens: 4, score: 3 },
    { text: 'Bye', start: 6, tokens: 1, score: 5 },
  ])
})

test('both sides of a difference must be the same tokens', () => {
  expect(difference([3, 2], [1, 5])).toEqual([2, -3])
  expect(() => difference([1], [1, 2])).toThrow('1 scores with the organism, 2 without: not the same tokens')
})

test('responses are ranked by the metric that is asked for', () => {
  const response = (promptId: string, scores: number[]) => ({
    organism: 'alpha',
    promptId,
    prompt: '?',
    tokens: scores.map(String),
    scores,
  })
  const list = [response('steady', [2, 2, 2]), response('peak', [5, 0, 0])]
  expect(rankResponses(list, 'response_mean').responses.map((entry) => entry.promptId)).toEqual(['steady', 'peak'])
  expect(rankResponses(list, 'max_token').responses.map((entry) => entry.promptId)).toEqual(['peak', 'steady'])
})

test('vectors are ranked some at a time, for a night has many and each comes to many megabytes', () => {
  const vectors = Array.from({ length: 33 }, (_, index) => `trait${index}@2:mean_diff`)
  const batches = rankOperation.batches({} as Task, { of: () => [] }, vectors)
  expect(batches.map(({ length }) => length)).toEqual([16, 16, 1])
  expect(batches.flat()).toEqual(vectors)
})
