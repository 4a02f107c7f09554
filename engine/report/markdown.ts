import { drawTable } from './markdown-table.ts'
import { wrapped } from './wrapped.ts'

const longestPrinted = 80

/**
 * A Markdown text with its tables drawn for a terminal of so many columns: whole where it is short, else those of its first
 * sections that are; nothing where it is missing or its first is long.
 */
export function printable(text: string | null, width: number): string[] {
  if (text === null) return []
  const lines = text.trimEnd().split('\n')
  const shown = lines.slice(0, endOfPrinted(lines))
  return blocksOf(shown).flatMap((block) =>
    isRow(block[0] as string) ? drawTable(block, width) : block.flatMap((line) => wrapped(asText(line), width)),
  )
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
