const longestPrinted = 60

/** A short Markdown text with its tables drawn for a terminal; nothing when it is missing or long. */
export function printable(text: string | null): string[] {
  const lines = (text ?? '').trimEnd().split('\n')
  if (text === null || lines.length > longestPrinted) return []
  const rows = lines.filter(isRow).map(cellsOf)
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').replace('*', '').length)))
  return lines
    .filter((line) => !/^\|( --- \|)+$/.test(line))
    .map((line) => (isRow(line) ? drawRow(cellsOf(line), widths) : line.replace(/^#+ /, '')))
}

function isRow(line: string): boolean {
  return line.startsWith('| ') && !line.startsWith('| ---')
}

function cellsOf(line: string): string[] {
  return line
    .slice(2, -2)
    .split(' | ')
    .map((cell) => cell.replace(/^\*\*(.*)\*\*$/, '$1*'))
}

/** First column to the left, figures to the right; a star marks what was bold. */
function drawRow(cells: readonly string[], widths: readonly number[]): string {
  const drawn = cells.map((cell, index) => {
    const width = widths[index] as number
    if (index === 0) return cell.padEnd(width)
    return (cell.endsWith('*') ? cell : `${cell} `).padStart(width + 1)
  })
  return `  ${drawn.join('  ')}`.trimEnd()
}
