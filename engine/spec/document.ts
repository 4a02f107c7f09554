import { isAlias, isMap, isPair, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument } from 'yaml'
import type { Diagnostic, SourceRange } from '../core/diagnostic.ts'
import type { Json } from '../core/json.ts'

/** Path of keys and indices from the top of a document. */
export type Path = readonly (string | number)[]

/** A parsed YAML text that still knows where everything stands. The only module that imports yaml. */
export interface SourceDocument {
  readonly file: string
  readonly data: Json
  readonly diagnostics: readonly Diagnostic[]
  /** Where the key at `path` stands (`key`), or its value (`value`); the nearest parent when it is missing. */
  rangeOf(path: Path, of: 'key' | 'value'): SourceRange
}

/** Beyond this a file is not something a person wrote. */
const maxBytes = 10_000_000

/**
 * Parses YAML 1.2. Duplicate keys, unknown tags, tabs and alias bombs are diagnostics with ranges.
 * `file` is only a name for messages.
 */
export function parseYaml(file: string, text: string): SourceDocument {
  if (text.length > maxBytes) return unreadable(file, `${file} is ${text.length} characters long; at most ${maxBytes} are read`)
  const deep = deepestBrackets(text)
  if (deep > 200) return unreadable(file, `${file} is nested ${deep} levels deep; at most 200 are read`)
  const lines = text.split('\n')
  const counter = new LineCounter()
  const document = parseDocument(text, { lineCounter: counter, uniqueKeys: true, prettyErrors: false })

  const rangeAt = (start: number, end: number): SourceRange => {
    const { line, col } = counter.linePos(start)
    const lineText = (lines[line - 1] ?? '').replace(/\r$/, '')
    return { file, line, column: col, length: Math.max(1, Math.min(end - start, lineText.length - col + 1)), text: lineText }
  }
  // After the first syntax error the parser only guesses; duplicate keys are all told.
  const found = [...document.errors, ...document.warnings]
  const told = found.filter((error, index) => index === 0 || error.code === 'DUPLICATE_KEY')
  const diagnostics: Diagnostic[] = told.map((error) => ({
    severity: 'error',
    rule: `yaml-${error.code.toLowerCase().replaceAll('_', '-')}`,
    message: error.message.split('\n')[0] as string,
    range: rangeAt(error.pos[0], error.pos[1]),
  }))

  let data: Json = null
  try {
    data = (document.toJS({ maxAliasCount: 100 }) ?? null) as Json
  } catch (error) {
    diagnostics.push({
      severity: 'error',
      rule: 'yaml-alias-bomb',
      message: `aliases multiply too much: ${error instanceof Error ? error.message : String(error)}`,
      hint: 'write the repeated part out, or use fewer aliases',
      range: rangeAt(0, 1),
    })
  }

  return {
    file,
    data,
    diagnostics,
    rangeOf(path, of) {
      let node = document.contents as Node | null
      let range = rangeAt(0, 1)
      for (const [depth, part] of path.entries()) {
        const pair = findPair(isAlias(node) ? (node.resolve(document) ?? null) : node, part)
        if (!pair) break
        const last = depth === path.length - 1
        const spot = last && of === 'value' ? (pair.value ?? pair.key) : pair.key
        if (spot?.range) range = rangeAt(spot.range[0], spot.range[1])
        node = pair.value
      }
      return range
    },
  }
}

function findPair(node: Node | null, part: string | number): { key: Node | null; value: Node | null } | undefined {
  if (isMap(node)) {
    const pair = node.items.find(
      (item): item is Pair<Node, Node> => isPair(item) && isScalar(item.key) && String(item.key.value) === String(part),
    )
    return pair && { key: pair.key, value: pair.value }
  }
  if (isSeq(node) && typeof part === 'number') {
    const item = (node.items[part] as Node | undefined) ?? null
    return item ? { key: item, value: item } : undefined
  }
  return undefined
}

/** Depth of flow brackets, so that a hostile file is refused before it is parsed. */
function deepestBrackets(text: string): number {
  let brackets = 0
  let deepest = 0
  for (const character of text) {
    if (character === '[' || character === '{') deepest = Math.max(deepest, ++brackets)
    else if (character === ']' || character === '}') brackets = Math.max(0, brackets - 1)
  }
  return deepest
}

function unreadable(file: string, message: string): SourceDocument {
  const range = { file, line: 1, column: 1, length: 1, text: '' }
  return { file, data: null, diagnostics: [{ severity: 'error', rule: 'yaml-too-big', message, range }], rangeOf: () => range }
}
