import type { FactsOf } from '../../engine/core/step-kind.ts'

/** What a person should know of answers before believing what is made of them. */
export function answerRemarks(answers: readonly FactsOf[]): string[] {
  const count = (is: (facts: FactsOf['facts']) => boolean) => answers.filter(({ facts }) => is(facts)).length
  const [cut, empty] = [
    count(({ finish_reason }) => finish_reason === 'length'),
    count(({ finish_reason, response_tokens }) => finish_reason === 'stop' && Number(response_tokens) <= 1),
  ]
  const of = `of ${answers.length} answer${answers.length === 1 ? '' : 's'}`
  return [
    ...(cut > 0 ? [`${cut} ${of} ${cut === 1 ? 'was' : 'were'} cut at max_new_tokens`] : []),
    ...(empty > 0 ? [`${empty} ${of} ${empty === 1 ? 'is' : 'are'} empty`] : []),
  ]
}
