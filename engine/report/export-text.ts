import { formatNumberOf, formatPlural } from '../core/format.ts'

type Counts = Readonly<Record<string, number>>

export interface Exported {
  readonly written: Counts
  /** Not made yet. */
  readonly missing: Counts
  /** Recordings that were given up after use. */
  readonly givenUp: number
  /** What former exports wrote and this one would not, and whether it was removed. */
  readonly former: { readonly files: readonly string[]; readonly pruned: boolean }
}

/** What was written where, what could not be, and what is left there of before. */
export function exportText(folder: string, { written, missing, givenUp, former }: Exported): string {
  const lines = [`written to ${folder}: ${listed(written)}`]
  if (Object.keys(missing).length > 0) lines.push(`left out, since not made yet: ${listed(missing)}; \`dag run\` makes them`)
  if (givenUp > 0)
    lines.push(
      `left out, since given up after use: ${formatPlural(givenUp, 'recordings')}; with \`raw: keep\` the next run makes them again`,
    )
  if (former.files.length > 0) {
    const what = `${formatNumberOf(former.files.length, 'file')} of former exports, first ${former.files[0]}`
    lines.push(former.pruned ? `removed: ${what}` : `no longer part of it: ${what}; \`--prune\` removes them`)
  }
  return `${lines.join('\n')}\n`
}

function listed(counts: Counts): string {
  if (Object.keys(counts).length === 0) return 'nothing'
  return Object.entries(counts)
    .map(([noun, count]) => formatPlural(count, noun))
    .join(', ')
}
