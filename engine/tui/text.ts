import { formatCount } from '../report/format.ts'
import type { GridCell } from '../report/run-view.ts'
import { stateOf } from '../report/run-view.ts'

/** One grid cell as text and tone: a word beside every glyph. */
export function cellText(cell: GridCell | undefined, width: number): { text: string; tone: Tone } {
  if (!cell) return { text: '', tone: 'quiet' }
  const state = stateOf(cell)
  switch (state) {
    case 'running': {
      const count = `${formatCount(cell.done)}/${formatCount(cell.cells)}`
      return { text: `${count} ${bar(cell.done / Math.max(1, cell.cells), width - count.length - 2)}`, tone: 'live' }
    }
    case 'done':
      return { text: `✓ done ${formatCount(cell.ran)}`, tone: 'good' }
    case 'cached':
      return { text: '✓ cached', tone: 'quiet' }
    case 'unchanged':
      return { text: '✓ unchanged', tone: 'quiet' }
    case 'failed':
      return { text: '✗ failed', tone: 'bad' }
    case 'blocked':
      return { text: '– blocked', tone: 'bad' }
    case 'waits':
      if (cell.toRun === 0 && cell.ended === 0) return { text: 'cached', tone: 'quiet' }
      return cell.ended > 0
        ? { text: `${formatCount(cell.done)}/${formatCount(cell.cells)}`, tone: 'plain' }
        : { text: 'waits', tone: 'quiet' }
  }
}

export type Tone = 'quiet' | 'plain' | 'live' | 'good' | 'bad'

export function bar(share: number, width: number): string {
  const size = Math.max(0, Math.min(10, width))
  const full = Math.round(Math.max(0, Math.min(1, share)) * size)
  return '▓'.repeat(full) + '░'.repeat(size - full)
}

/** Cuts in the middle, where long names of organisms are alike least. */
export function middle(text: string, width: number): string {
  if (text.length <= width) return text
  const left = Math.ceil((width - 1) / 2)
  return `${text.slice(0, left)}…${text.slice(text.length - (width - 1 - left))}`
}
