import type { CellOutput, Components, ParentTask } from '../../engine/core/step-kind.ts'

/**
 * Key components of what pools rankings: each ranking's digest by prompt set and vector, and their order, which is
 * that of the matrix. Null while one of them is not known.
 */
export function rankingsOf(parents: readonly ParentTask[]): { own: Components; outputs: CellOutput[] } | null {
  const rankings: Record<string, string> = {}
  const outputs: CellOutput[] = []
  for (const parent of parents) {
    for (const { spec, output } of parent.cells) {
      if (output === null) return null
      rankings[[parent.task.coordinate.promptSet, spec.id].filter(Boolean).join(' ')] = output.digest
      outputs.push(output)
    }
  }
  return { own: { rankings, order: Object.keys(rankings) }, outputs }
}
