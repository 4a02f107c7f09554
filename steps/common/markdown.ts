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

/** Of more organisms than these, only so many come first. */
export const manyOrganisms = 20
export const firstOfMany = 10

/** Text that cannot break out of a table cell, nor be set in another type; of a long one so many characters. */
export function cell(text: string, most = 120): string {
  const shown = text.replace(/\s+/g, ' ').slice(0, most)
  return shown.replace(/[\\|*`]/g, '\\$&').replaceAll('<', '&lt;')
}
