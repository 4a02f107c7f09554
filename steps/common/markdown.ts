/** A number with so many decimals, without a sign where it rounds to nothing; a dash where there is none. */
export function figure(value: number | null, decimals = 2): string {
  return value === null ? '–' : value.toFixed(decimals).replace(/^-(?=0\.0*$)/, '')
}

export function modeInWords(mode: string): string {
  return mode === 'diff' ? 'organism minus clean model' : 'organism alone'
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)]
}

/** Text that cannot break out of a table cell. */
export function cell(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('|', '\\|').replaceAll('<', '&lt;').replace(/\s+/g, ' ').slice(0, 120)
}
