import type { Effect } from './effects.ts'
import { isRandom } from './names.ts'

/** How far random directions of the same layer take answers along a direction, by as much to either side; null where there are none. */
export function randomLimits(effects: readonly Effect[]): (effect: Pick<Effect, 'organism' | 'direction' | 'amount'>) => number | null {
  const random = effects.filter(isRandom)
  return ({ organism, direction, amount }) => {
    const moved = random
      .filter((one) => one.organism === organism && Math.abs(one.amount) === Math.abs(amount) && one.direction !== direction)
      .flatMap(({ changes }) => changes.get(direction)?.mean ?? [])
    return moved.length > 0 ? Math.max(...moved.map(Math.abs)) : null
  }
}
