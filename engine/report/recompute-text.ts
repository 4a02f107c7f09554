import type { Recomputed, RecomputeReport } from '../core/recomputed.ts'
import { formatCount, formatNumberOf } from '../core/format.ts'

const widths = [12, 6, 11, 7, 8, 10, 14]

/** What was computed again, by operation, and every cell that lies beyond its tolerance. */
export function recomputeText({ cells, failed }: RecomputeReport): string {
  const groups = [...Map.groupBy(cells, ({ operation }) => operation)].sort(([a], [b]) => (a < b ? -1 : 1))
  const ofTokens = cells.filter(({ ids }) => ids !== null)
  const changed = ofTokens.filter(({ ids }) => ids?.common !== ids?.stored || ids?.common !== ids?.again)
  const scores = cells.filter(({ flips }) => flips !== null)
  const beyond = cells.filter(({ verdict }) => verdict === 'beyond')
  return [
    `computed again: ${formatNumberOf(cells.length + failed.length, 'cell')}, beside the store; nothing in it was changed`,
    row('operation', 'cells', 'same bits', 'drift', 'beyond', 'max |Δ|', 'lowest cosine'),
    ...groups.map(([operation, own]) => groupRow(operation, own)),
    ...(ofTokens.length > 0
      ? [`  token ids: the same in ${ofTokens.length - changed.length} of ${ofTokens.length}`, ...changed.map(changedLine)]
      : []),
    ...(scores.length > 0
      ? [`  highest answer along a vector: ${scores.filter(({ flips }) => flips).length} of ${scores.length} would be another one`]
      : []),
    ...sinceLines(cells),
    ...(beyond.length > 0 ? ['beyond what another order of summation explains:', ...beyond.map(beyondLine)] : []),
    ...(failed.length > 0 ? ['failed:', ...failed.map(({ task, cell, reason }) => `  ${task}:${cell}  ${reason}`)] : []),
    '',
  ].join('\n')
}

/** What computes otherwise than when the cells that differ were stored. */
function sinceLines(cells: readonly Recomputed[]): string[] {
  const differ = cells.filter(({ verdict }) => verdict !== 'same')
  const changes = new Map<string, number>()
  for (const change of differ.flatMap(({ since }) => since)) changes.set(change, (changes.get(change) ?? 0) + 1)
  if (changes.size === 0) return []
  const lines = [...changes].map(
    ([change, count]) =>
      `    ${change}: ${formatCount(count)} of ${formatNumberOf(differ.length, 'cell')} that ${differ.length === 1 ? 'differs' : 'differ'}`,
  )
  return ['  computed by others than then:', ...lines]
}

function groupRow(operation: string, own: readonly Recomputed[]): string {
  const count = (verdict: Recomputed['verdict']) => formatCount(own.filter((each) => each.verdict === verdict).length)
  const differences = own.flatMap(({ difference }) => difference ?? [])
  const measured = differences.length > 0
  const most = measured ? Math.max(...differences.map(({ maxDelta }) => maxDelta)).toPrecision(2) : ''
  const least = measured ? Math.min(...differences.map(({ cosine }) => cosine)).toFixed(8) : ''
  return row(operation, formatCount(own.length), count('same'), count('drift'), count('beyond'), most, least)
}

function row(first: string, ...others: readonly string[]): string {
  return `  ${first.padEnd(widths[0] as number)}${others.map((text, index) => text.padStart(widths[index + 1] as number)).join('')}`.trimEnd()
}

function changedLine({ task, cell, ids }: Recomputed): string {
  return `    ${task}:${cell}  differs from id ${(ids?.common ?? 0) + 1} of ${ids?.stored ?? 0} on`
}

function beyondLine({ task, cell, difference }: Recomputed): string {
  return `  ${task}:${cell}  ${((difference?.relative ?? 0) * 100).toPrecision(2)} % of its length, cosine ${(difference?.cosine ?? 0).toFixed(6)}`
}
