/** Rows in columns two spaces apart. Columns in `left` begin together, the others end together. */
export function columns(rows: readonly (readonly string[])[], left: readonly number[]): string[] {
  const count = Math.max(0, ...rows.map((row) => row.length))
  const widths = Array.from({ length: count }, (_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  return rows.map((row) =>
    widths
      .map((width, column) => (left.includes(column) ? (row[column] ?? '').padEnd(width) : (row[column] ?? '').padStart(width)))
      .join('  ')
      .trimEnd(),
  )
}
