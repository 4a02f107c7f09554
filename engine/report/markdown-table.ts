/** Room before each line, and between two columns. */
const gap = '  '

/**
 * A table of Markdown drawn for a terminal of so many columns: words to the left, figures to the right; a star marks what was
 * bold. A wider one is drawn in parts, one below the other, each with the first column.
 */
export function drawTable([head, , ...body]: readonly string[], width: number): string[] {
  const rows = [head as string, ...body].map(cellsOf)
  const [first, ...others] = (rows[0] ?? []).map((_, column) =>
    drawColumn(
      rows.map((row) => row[column] ?? ''),
      column === 0,
    ),
  )
  if (!first) return []
  const parts = inParts(first, others, width)
  return parts.flatMap((part, index) => [
    ...(index > 0 ? [''] : []),
    ...rows.map((_, row) =>
      [first, ...part]
        .map((column) => gap + (column[row] as string))
        .join('')
        .trimEnd(),
    ),
  ])
}

type Column = readonly string[]

/** Columns that fit beside the first, as many as do, and one at least. */
function inParts(first: Column, others: readonly Column[], width: number): Column[][] {
  const room = width - widthOf(first)
  const parts: Column[][] = [[]]
  let taken = 0
  for (const column of others) {
    taken += widthOf(column)
    if (taken > room && parts.at(-1)?.length !== 0) {
      parts.push([])
      taken = widthOf(column)
    }
    parts.at(-1)?.push(column)
  }
  return parts
}

function widthOf(column: Column): number {
  return gap.length + (column[0]?.length ?? 0)
}

/** A column under its head, each line as wide. */
function drawColumn(cells: readonly string[], isFirst: boolean): Column {
  const isWords = isFirst || cells.slice(1).some((cell) => /\p{L}/u.test(cell))
  const drawn = isWords ? cells : cells.map((cell) => (cell.endsWith('*') ? cell : `${cell} `))
  const width = Math.max(...drawn.map((cell) => cell.length))
  return drawn.map((cell) => (isWords ? cell.padEnd(width) : cell.padStart(width)))
}

function cellsOf(line: string): string[] {
  return line
    .slice(2, -2)
    .split(' | ')
    .map((cell) => unescaped(cell.replace(/^\*\*(.*)\*\*$/, '$1*')))
}

/** What a cell says where nothing is Markdown. */
function unescaped(cell: string): string {
  return cell.replaceAll('&lt;', '<').replace(/\\([\\|*`])/g, '$1')
}
