import type { Steered } from '../common/answer-ids.ts'
import { average } from '../common/metrics.ts'
import { cohensD, spreadOf } from '../common/spread.ts'

/** An answer with what the clean model reads in it: the mean of its tokens along each direction. */
export interface ReadAnswer {
  /** Whose it is; null where no adapter was on. */
  readonly organism: string | null
  readonly promptSet: string
  readonly prompt: string
  /** The prompt's own. */
  readonly text: string
  /** Null: it was not steered. */
  readonly steered: Steered | null
  readonly response: string
  /** Share of its runs of three tokens that stood in it before. */
  readonly repeats: number
  readonly means: ReadonlyMap<string, number>
}

/** How far answers lie from those to the same prompts that were not steered, along a direction. */
export interface Change {
  readonly mean: number
  /** Of the paired differences; null where they have no spread. */
  readonly cohensD: number | null
}

/** What steering an organism, or the clean model, along a direction by so much does to its answers. */
export interface Effect extends Steered {
  readonly organism: string | null
  readonly answers: number
  /** Along each direction that the answers were read along. */
  readonly changes: ReadonlyMap<string, Change>
  /** Share of repeated runs of three tokens, the mean over its answers and over those that were not steered. */
  readonly repeats: number
  readonly repeatsBefore: number
}

/** So much more repeated than without steering, answers are broken and say nothing of a trait. */
const broken = 0.2

export function isBroken({ repeats, repeatsBefore }: Pick<Effect, 'repeats' | 'repeatsBefore'>): boolean {
  return repeats - repeatsBefore > broken
}

/** A steered answer and the one to the same prompt that is not. */
export interface Pair {
  readonly after: ReadAnswer & { readonly steered: Steered }
  readonly before: ReadAnswer
}

export function pairsOf(answers: readonly ReadAnswer[]): Pair[] {
  const asked = ({ organism, promptSet, prompt }: ReadAnswer) => JSON.stringify([organism, promptSet, prompt])
  const free = new Map(answers.filter(({ steered }) => steered === null).map((answer) => [asked(answer), answer]))
  return answers.flatMap(({ steered, ...answer }) =>
    steered === null ? [] : [{ after: { ...answer, steered }, before: free.get(asked({ steered, ...answer })) as ReadAnswer }],
  )
}

/** Every steering in the order of the answers. */
export function effectsOf(pairs: readonly Pair[]): Effect[] {
  const steerings = Map.groupBy(pairs, ({ after: { organism, steered } }) => JSON.stringify([organism, steered]))
  return [...steerings.values()].map((own): Effect => {
    const [{ after: first }] = own as [Pair]
    const changes = [...first.means.keys()].map((direction) => {
      const spread = spreadOf(own.map((pair) => changeAlong(pair, direction)))
      return [direction, { mean: spread.mean, cohensD: cohensD(spread) }] as const
    })
    return {
      ...first.steered,
      organism: first.organism,
      answers: own.length,
      changes: new Map(changes),
      repeats: average(own.map(({ after }) => after.repeats)),
      repeatsBefore: average(own.map(({ before }) => before.repeats)),
    }
  })
}

/** How much farther an answer lies along a direction than the one that is not steered. */
export function changeAlong({ after, before }: Pair, direction: string): number {
  return (after.means.get(direction) as number) - (before.means.get(direction) as number)
}

/** Share of the runs of three tokens of an answer that stood in it before (1 − distinct-3, Li et al. 2016); 0 for fewer tokens. */
export function repeatedShare(tokens: readonly string[]): number {
  const runs = tokens.slice(2).map((_, index) => JSON.stringify(tokens.slice(index, index + 3)))
  return runs.length === 0 ? 0 : 1 - new Set(runs).size / runs.length
}
