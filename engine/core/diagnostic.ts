/** A place in a text file. Lines and columns count from 1; `length` is in characters. */
export interface SourceRange {
  readonly file: string
  readonly line: number
  readonly column: number
  readonly length: number
  /** The text of that line, for printing the caret under it. */
  readonly text: string
}

/** One mistake or warning, for a person: what, where, why, and what to do. */
export interface Diagnostic {
  readonly severity: 'error' | 'warning'
  /** A stable name for the rule, e.g. `unknown-organism`. */
  readonly rule: string
  readonly message: string
  readonly hint?: string
  readonly range?: SourceRange
}

export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some((diagnostic) => diagnostic.severity === 'error')
}

/** `file:line:col: error: message [rule]`, the line with a caret, and a hint. Readable without colour. */
export function formatDiagnostic(diagnostic: Diagnostic): string {
  const { range } = diagnostic
  const head = `${diagnostic.severity}: ${diagnostic.message} [${diagnostic.rule}]`
  const lines = [range ? `${range.file}:${range.line}:${range.column}: ${head}` : head]
  if (range && range.text.trim() !== '') {
    const gutter = String(range.line)
    const from = range.column > 100 ? range.column - 60 : 0
    const lead = from > 0 ? '…' : ''
    const shown = lead + range.text.slice(from, from + 140)
    const indent = range.column - 1 - from + lead.length
    const width = Math.max(1, Math.min(range.length, shown.length - indent))
    lines.push(`  ${gutter} | ${shown}`, `  ${' '.repeat(gutter.length)} | ${' '.repeat(indent)}${'^'.repeat(width)}`)
  }
  if (diagnostic.hint) lines.push(`  hint: ${diagnostic.hint}`)
  return lines.join('\n')
}
