import { formatPlural } from './format.ts'

type Counts = Readonly<Record<string, number>>

/** What was written where, and what could not be: not made yet, or recordings that were given up after use. */
export function exportText(folder: string, written: Counts, missing: Counts, givenUp: number): string {
  const lines = [`written to ${folder}: ${listed(written)}`]
  if (Object.keys(missing).length > 0) lines.push(`left out, since not made yet: ${listed(missing)}; \`dag run\` makes them`)
  if (givenUp > 0)
    lines.push(
      `left out, since given up after use: ${formatPlural(givenUp, 'recordings')}; with \`raw: keep\` the next run makes them again`,
    )
  return `${lines.join('\n')}\n`
}

function listed(counts: Counts): string {
  if (Object.keys(counts).length === 0) return 'nothing'
  return Object.entries(counts)
    .map(([noun, count]) => formatPlural(count, noun))
    .join(', ')
}
