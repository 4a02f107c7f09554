import type { GcReport, KeptRoot } from '../store/gc/gc-plan.ts'
import { formatBytes, formatCount, formatDuration, formatNumberOf } from '../core/format.ts'
import { sanitizeLine } from './sanitize.ts'

/** What goes, by operation and size, and what stays because of what. `fileName` makes the name of a workflow's file readable. */
export function gcText(report: GcReport, fileName: (file: string) => string): string {
  const { go, stay, done } = report
  const verb = done ? 'removed' : 'would go'
  const operations = go.byOperation.map(({ operation, units, cells, bytes }) => [
    operation,
    formatNumberOf(cells, 'cell'),
    formatNumberOf(units, 'batch', 'batches'),
    formatBytes(bytes),
  ])
  const leftovers = Object.entries(go.leftovers)
    .filter(([, { files }]) => files > 0)
    .map(([what, { files, bytes }]) => [leftoverNames[what as keyof typeof leftoverNames], formatCount(files), '', formatBytes(bytes)])
  const roots = [...stay.roots]
    .sort((a, b) => b.bytes - a.bytes)
    .map((root) => [rootText(root, report.grace, fileName), formatBytes(root.bytes), `${formatBytes(root.alone)} by nothing else`])
  const nothing = operations.length === 0 && leftovers.length === 0
  const lines = [
    nothing ? `nothing ${verb}` : `${verb}: ${formatNumberOf(go.cells, 'cell')}, ${formatBytes(go.bytes + sumOf(go))}`,
    ...table([...operations, ...leftovers]),
    `stays: ${formatNumberOf(stay.objects, 'object')}, ${formatBytes(stay.bytes)}`,
    ...table(roots),
  ]
  if (!done && report.heldBy) lines.push(`the store is in use by ${report.heldBy}: nothing can be removed before it has ended`)
  else if (!done && !nothing) lines.push('nothing was removed: `dag gc --yes` does it')
  return `${lines.join('\n')}\n`
}

const leftoverNames: Readonly<Record<keyof GcReport['go']['leftovers'], string>> = {
  objects: 'objects of no batch',
  manifests: 'manifests of no batch',
  staging: 'staging of ended runs',
  quarantine: 'quarantine',
  runs: 'folders of old runs',
}

function rootText({ kind, name, run }: KeptRoot, grace: number, fileName: (file: string) => string): string {
  switch (kind) {
    case 'last-run':
      return `last run of ${sanitizeLine(fileName(name))} (${run})`
    case 'unfinished-run':
      return `unfinished run of ${sanitizeLine(fileName(name))} (${run})`
    case 'pinned-run':
      return `pinned run of ${sanitizeLine(fileName(name))} (${run})`
    case 'unrecorded-run':
      return `run ${run} of ${sanitizeLine(name)}, of which no record is left`
    case 'view':
      return `shown in ${sanitizeLine(fileName(name))}`
    case 'grace':
      return `younger than ${formatDuration(grace / 1000)}`
  }
}

function sumOf(go: GcReport['go']): number {
  return Object.values(go.leftovers).reduce((sum, { bytes }) => sum + bytes, 0)
}

/** Rows in columns; the first to the left, figures to the right. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  return rows.map((row) =>
    `  ${row.map((text, column) => (column === 0 ? text.padEnd(widths[0] as number) : text.padStart(widths[column] as number))).join('  ')}`.trimEnd(),
  )
}
