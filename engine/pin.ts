import type { SourceRange } from './core/diagnostic.ts'
import { parseYaml } from './spec/document.ts'

/** A commit that is to be written where a revision stands, or behind the repository where there is none. */
export interface Pin {
  readonly range: SourceRange
  readonly replaces: boolean
  readonly commit: string
}

/**
 * A text with the commits of pins in it, and all else as it was: in YAML in blocks or in braces, and in JSON. Quoted,
 * since digits with one `e` among them would be a number. Null where it is written otherwise and cannot be edited so.
 */
export function withCommits(text: string, pins: readonly Pin[]): string | null {
  const lines = text.split('\n')
  const lastFirst = pins.toSorted((a, b) => b.range.line - a.range.line || b.range.column - a.range.column)
  for (const { range, replaces, commit } of lastFirst) {
    const line = lines[range.line - 1] ?? ''
    const [start, end] = [range.column - 1, range.column - 1 + range.length]
    const [before, value, after] = [line.slice(0, start), line.slice(start, end), line.slice(end)]
    lines[range.line - 1] = replaces ? `${before}"${commit}"${after}` : `${before}${value}${addition(before, after, commit)}`
  }
  const edited = lines.join('\n')
  return parseYaml('', edited).diagnostics.length === 0 ? edited : null
}

/** What is written behind a repository. `after` is the rest of its line: in a block it is nothing, or a comment. */
function addition(before: string, after: string, commit: string): string {
  const isJson = /"\s*:\s*$/.test(before)
  const isBlock = !isJson && /^\s*(#.*)?$/.test(after.trimEnd())
  if (isBlock) return `${after}\n${/^\s*/.exec(before)?.[0] ?? ''}revision: "${commit}"`
  return `, ${isJson ? '"revision"' : 'revision'}: "${commit}"${after}`
}
