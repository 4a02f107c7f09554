import type { FactsOf } from '../../engine/core/step-kind.ts'
import { firstNamed } from '../common/first-named.ts'

/** A direction that orders fewer pairs of held-out examples than this is of little use. */
const leastAuc = 0.75

/** Vectors that hardly tell apart examples which they were not made of. */
export function vectorRemarks(vectors: readonly FactsOf[]): string[] {
  const weak = vectors.flatMap(({ cell, facts: { held_out_auc: auc } }) =>
    typeof auc === 'number' && auc < leastAuc ? [`${cell} (${auc.toFixed(2)})`] : [],
  )
  return weak.length > 0 ? [`hardly better than chance on held-out examples, AUC below ${leastAuc}: ${firstNamed(weak)}`] : []
}
