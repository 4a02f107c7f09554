const longestPrinted = 80

/**
 * A Markdown text with its tables drawn for a terminal: whole where it is short, else those of its first sections that
 * are; nothing where it is missing or its first is long.
 */
export function printable(text: string | null): string[] {
  if (text === null) return []
  const lines = text.trimEnd().split('\n')
  const shown = lines.slice(0, endOfPrinted(lines))
  return blocksOf(shown).flatMap((block) => (isRow(block[0] as string) ? drawTable(block) : block.map(asText)))
}

/** Before which line a text may be cut so that no section is, at most so many lines long. */
function endOfPrinted(lines: readonly string[]): number {
  if (lines.length <= longestPrinted) return lines.length
  return Math.max(0, lines.slice(0, longestPrinted + 2).findLastIndex((line) => line.startsWith('## ')) - 1)
}

/** Each table, and what is between two of them. */
function blocksOf(lines: readonly string[]): string[][] {
  const blocks: string[][] = []
  for (const [index, line] of lines.entries()) {
    if (index > 0 && isRow(line) === isRow(lines[index - 1] as string)) blocks.at(-1)?.push(line)
    else blocks.push([line])
  }
  return blocks
}

function asText(line: string): string {
  return line.replace(/^#+ /, '')
}

function isRow(line: string): boolean {
  return line.startsWith('| ')
}

/** Words to the left, figures to the right; a star marks what was bold. */
function drawTable([head, , ...body]: readonly string[]): string[] {
  const rows = [head as string, ...body].map(cellsOf)
  const columns = (rows[0] ?? []).map((_, column) => rows.map((row) => row[column] ?? ''))
  const words = columns.map(([, ...cells], column) => column === 0 || cells.some((cell) => /\p{L}/u.test(cell)))
  const widths = columns.map((cells, column) => Math.max(...cells.map((cell) => (words[column] ? cell : cell.replace('*', '')).length)))
  return rows.map((row) =>
    `  ${row.map((cell, column) => draw(cell, widths[column] as number, words[column] as boolean)).join('  ')}`.trimEnd(),
  )
}

function draw(cell: string, width: number, isWords: boolean): string {
  if (isWords) return cell.padEnd(width)
  return (cell.endsWith('*') ? cell : `${cell} `).padStart(width + 1)
}

function cellsOf(line: string): string[] {
  return line
    .slice(2, -2)
    .split(' | ')
    .map((cell) => cell.replace(/^\*\*(.*)\*\*$/, '$1*'))
}
