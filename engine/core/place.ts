import type { SourceRange } from './diagnostic.ts'
import type { Origin } from './step-kind.ts'

/** Where something is written: a file, a place in it, and what stands there when it names another file. */
export interface Place {
  readonly file: string
  readonly line?: number
  readonly column?: number
  readonly names?: string
}

/** Finds where a named part of a key is written; null when it is nowhere. `item` picks one prompt of a set. */
export type Locate = (origin: Origin, item: string | null) => Place | null

/** `file:line:column`, as editors open it. */
export function placeText({ file, line, column, names }: Place): string {
  return `${file}${line === undefined ? '' : `:${line}:${column}`}${names === undefined ? '' : ` (${names})`}`
}

export function placeOf({ file, line, column }: SourceRange): Place {
  return { file, line, column }
}
