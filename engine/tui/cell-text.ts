import { formatCount } from '../core/format.ts'
import type { GridCell, TaskState } from '../report/view.ts'
import { bar, firstThatFits } from './text.ts'

const barWidth = 6

/** A state in one word. Of all tasks that are ready only one is next; the others wait. */
export function wordOf(state: TaskState, next: boolean): string {
  return state === 'ready' ? (next ? 'next' : 'waits') : state
}

/** A grid cell in at most `width` columns: the word first, then how much. */
export function cellText({ total, done, state, states }: GridCell, width: number, next: boolean): string {
  const word = wordOf(state, next)
  const all = formatCount(total)
  const part = `${formatCount(done).padStart(all.length)}/${all}`
  switch (state) {
    case 'running':
      return firstThatFits(
        [`${word} ${part} ${bar(total === 0 ? 0 : done / total, barWidth)}`, `${word} ${part}`, `runs ${part}`, part],
        width,
      )
    case 'done':
    case 'cached':
    case 'unchanged':
      return firstThatFits([`${word} ${all}`, word], width)
    case 'failed':
    case 'blocked':
      return firstThatFits([done > 0 ? `${word} ${part}` : word, word], width)
    case 'waits':
    case 'ready':
      return firstThatFits([ended(states) > 0 ? `${word} ${part}` : word, word], width)
  }
}

/** Columns that the longest text of a cell needs: without the bar, and with it. */
export function widthsOf(total: number): { least: number; most: number } {
  const part = formatCount(total).length * 2 + 1
  return { least: Math.max(9, 'runs '.length + part), most: 'running '.length + part + 1 + barWidth }
}

function ended({ done, cached, unchanged }: GridCell['states']): number {
  return done + cached + unchanged
}
