import { formatCount, formatNumberOf } from '../../engine/core/format.ts'
import type { FactsOf } from '../../engine/core/step-kind.ts'

/** What a person should know of answers before believing what is made of them. */
export function answerRemarks(answers: readonly FactsOf[]): string[] {
  const count = (is: (facts: FactsOf['facts']) => boolean) => answers.filter(({ facts }) => is(facts)).length
  const [cut, empty] = [
    count(({ finish_reason }) => finish_reason === 'length'),
    count(({ finish_reason, response_tokens }) => finish_reason === 'stop' && Number(response_tokens) <= 1),
  ]
  const of = `of ${formatNumberOf(answers.length, 'answer')}`
  return [
    ...(cut > 0 ? [`${formatCount(cut)} ${of} ${cut === 1 ? 'was' : 'were'} cut at max_new_tokens`] : []),
    ...(empty > 0 ? [`${formatCount(empty)} ${of} ${empty === 1 ? 'is' : 'are'} empty`] : []),
  ]
}
