import type { FactsOf } from '../../engine/core/step-kind.ts'

/** A direction that orders fewer pairs of held-out examples than this is of little use. */
const leastAuc = 0.75
const mostNamed = 4

/** Vectors that hardly tell apart examples which they were not made of. */
export function vectorRemarks(vectors: readonly FactsOf[]): string[] {
  const weak = vectors.flatMap(({ cell, facts: { held_out_auc: auc } }) =>
    typeof auc === 'number' && auc < leastAuc ? [{ cell, auc }] : [],
  )
  if (weak.length === 0) return []
  const named = weak.slice(0, mostNamed).map(({ cell, auc }) => `${cell} (${auc.toFixed(2)})`)
  const more = weak.length > named.length ? ` and ${weak.length - named.length} more` : ''
  return [`hardly better than chance on held-out examples, AUC below ${leastAuc}: ${named.join(', ')}${more}`]
}
