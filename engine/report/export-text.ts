import { formatPlural } from './format.ts'

type Counts = Readonly<Record<string, number>>

/** What was written where, and what could not be because it is not made yet. */
export function exportText(folder: string, written: Counts, missing: Counts): string {
  const lines = [`written to ${folder}: ${listed(written)}`]
  if (Object.keys(missing).length > 0) lines.push(`left out, since not made yet: ${listed(missing)}; \`dag run\` makes them`)
  return `${lines.join('\n')}\n`
}

function listed(counts: Counts): string {
  if (Object.keys(counts).length === 0) return 'nothing'
  return Object.entries(counts)
    .map(([noun, count]) => formatPlural(count, noun))
    .join(', ')
}
