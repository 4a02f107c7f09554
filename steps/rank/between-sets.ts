import type { SetGap } from '../common/matrix.ts'
import { round } from '../common/written.ts'
import { cohensDBetween, type Spread } from '../common/spread.ts'

const mostListed = 10

/** How the responses of an organism lie on each prompt set, along one vector. */
export interface OnSets {
  readonly organism: string
  readonly column: string
  readonly sets: readonly { readonly promptSet: string; readonly spread: Spread }[]
}

/** Of each organism and column the two prompt sets that lie farthest apart; of these the farthest first. */
export function gapsBetween(all: readonly OnSets[]): SetGap[] {
  return all
    .flatMap((one) => widest(one) ?? [])
    .sort((a, b) => b.cohensD - a.cohensD)
    .slice(0, mostListed)
}

function widest({ organism, column, sets }: OnSets): SetGap | null {
  const gaps = sets.flatMap((higher) =>
    sets.flatMap((lower): SetGap[] => {
      const d = cohensDBetween(higher.spread, lower.spread)
      return d === null || d <= 0 ? [] : [{ organism, column, higher: meanOn(higher), lower: meanOn(lower), cohensD: round(d) }]
    }),
  )
  return gaps.length > 0 ? gaps.reduce((a, b) => (b.cohensD > a.cohensD ? b : a)) : null
}

function meanOn({ promptSet, spread }: OnSets['sets'][number]): SetGap['higher'] {
  return { promptSet, mean: round(spread.mean) }
}
