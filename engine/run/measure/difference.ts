import type { Difference } from '../../core/recomputed.ts'

/** Both as long as each other; otherwise nothing is comparable and the difference is without bounds. */
export function differenceOf(stored: ArrayLike<number>, again: ArrayLike<number>): Difference {
  if (stored.length !== again.length)
    return { same: false, maxDelta: Number.POSITIVE_INFINITY, relative: Number.POSITIVE_INFINITY, cosine: 0 }
  let [maxDelta, distance, dot, own, other] = [0, 0, 0, 0, 0]
  for (let index = 0; index < stored.length; index++) {
    const [a, b] = [stored[index] as number, again[index] as number]
    maxDelta = Math.max(maxDelta, Math.abs(a - b))
    distance += (a - b) ** 2
    dot += a * b
    own += a * a
    other += b * b
  }
  const lengths = Math.sqrt(own * other)
  return {
    same: maxDelta === 0,
    maxDelta,
    relative: distance === 0 ? 0 : Math.sqrt(distance / own),
    cosine: lengths === 0 ? Number(maxDelta === 0) : Math.min(1, dot / lengths),
  }
}

/** How many leading ids two answers have in common. */
export function commonIds(stored: readonly number[], again: readonly number[]): number {
  const at = stored.findIndex((id, index) => id !== again[index])
  return at < 0 ? stored.length : at
}
