import type { FactsOf } from '../../engine/core/step-kind.ts'
import { firstNamed } from '../common/first-named.ts'

/** So many times what answers come to that each move anywhere, 1/√answers. */
const leastOfChance = 2

/** Shifts of answers that do not move alike: their mean is mostly chance. */
export function shiftRemarks(shifts: readonly FactsOf[]): string[] {
  const loose = shifts.flatMap(({ cell, facts: { consistency, answers } }) =>
    typeof consistency === 'number' && typeof answers === 'number' && answers > 1 && consistency < leastOfChance / Math.sqrt(answers)
      ? [`${cell} (consistency ${consistency.toFixed(2)} of ${answers} answers)`]
      : [],
  )
  return loose.length > 0 ? [`hardly more than chance, since their answers are not moved alike: ${firstNamed(loose)}`] : []
}
