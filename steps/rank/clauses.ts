import { average } from '../common/metrics.ts'

export interface Clause {
  readonly text: string
  /** First token of the clause, counted from the first response token. */
  readonly start: number
  readonly tokens: number
  /** Mean score of its tokens. */
  readonly score: number
}

const clauseEnd = /[,.;—\n!?:]/

/** Splits a response into clauses: each ends after a token that contains one of `, . ; — newline ! ? :`. */
export function clausesOf(tokens: readonly string[], scores: ArrayLike<number>): Clause[] {
  const clauses: Clause[] = []
  let start = 0
  for (let index = 0; index < tokens.length; index++) {
    const last = index === tokens.length - 1
    if (!last && !clauseEnd.test(tokens[index] as string)) continue
    const text = tokens
      .slice(start, index + 1)
      .join('')
      .trim()
    const score = average(Array.from({ length: index + 1 - start }, (_, offset) => scores[start + offset] as number))
    if (text !== '') clauses.push({ text, start, tokens: index + 1 - start, score })
    start = index + 1
  }
  return clauses
}
