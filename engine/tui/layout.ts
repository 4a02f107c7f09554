import { isStepRow, nextCell, type RunView } from '../report/view.ts'
import { widthsOf } from './cell-text.ts'
import { widthOf } from './text.ts'

export interface Size {
  readonly columns: number
  readonly rows: number
}

/** How many lines each part of the screen has. Depends on the terminal and the workflow only, so that nothing jumps. */
export interface Heights {
  /** Empty lines above and below the grid. */
  readonly gap: number
  readonly grid: number
  /** The log below the grid, with its title. */
  readonly panel: number
  /** The log shown full width, without its title. */
  readonly log: number
}

const headerLines = 3
const titleAndCounts = 2
const footerLines = 1
const smallestPanel = 4

export function heightsOf(rowCount: number, { rows }: Size): Heights {
  const gap = rows >= 20 ? 1 : 0
  const log = Math.max(1, rows - headerLines - gap - 1 - footerLines)
  const room = Math.max(1, rows - headerLines - 2 * gap - titleAndCounts - footerLines)
  if (room < 10) return { gap, log, grid: room, panel: 0 }
  const panel = Math.max(smallestPanel, Math.floor(room / 4), room - Math.max(3, rowCount))
  return { gap, log, grid: room - panel, panel }
}

/** Columns of the grid that fit, with their place and width. */
export interface Columns {
  readonly name: number
  readonly stages: readonly { readonly index: number; readonly width: number }[]
  readonly hidden: number
}

const longestName = 40
const shortestName = 14

/** Steps without organisms need no column of their own. When not all columns fit, those around the running stage are shown. */
export function columnsOf(view: RunView, columns: number): Columns {
  const inGrid = view.rows.filter((row) => !isStepRow(row))
  const needed = view.stages.flatMap((stage, index) => {
    const totals = inGrid.flatMap((row) => row.cells[index]?.total ?? [])
    if (totals.length === 0) return []
    const { least, most } = widthsOf(Math.max(...totals))
    return [{ index, least, head: widthOf(stage), most: Math.max(most, widthOf(stage)) }]
  })
  const longest = Math.max(8, ...view.rows.map(({ name }) => widthOf(name)))
  const room = columns - 3
  const leastOf = (those: readonly Column[]) => those.reduce((sum, { least }) => sum + least + 1, 0)
  const shortest = Math.min(shortestName, longest)
  let shown: readonly Column[] = needed
  while (shown.length > 1 && leastOf(shown) + shortest > room) shown = withoutFarthest(shown, liveStage(view))
  const name = Math.min(longest, longestName, Math.max(shortest, room - leastOf(shown)))
  const spare = room - name - leastOf(shown)
  return { name, stages: widened(shown, spare), hidden: needed.length - shown.length }
}

interface Column {
  readonly index: number
  readonly least: number
  /** Width of its heading, and of the longest text with everything in it. */
  readonly head: number
  readonly most: number
}

/** Gives the room to spare to headings that are cut, then to all alike. */
function widened(shown: readonly Column[], spare: number): Columns['stages'] {
  let left = spare
  const headed = shown.map((column) => {
    const more = Math.max(0, Math.min(left, column.head - column.least))
    left -= more
    return { ...column, width: column.least + more }
  })
  const each = Math.floor(left / Math.max(1, shown.length))
  return headed.map(({ index, width, most }) => ({ index, width: Math.max(width, Math.min(most, width + each)) }))
}

function withoutFarthest(those: readonly Column[], live: number): readonly Column[] {
  const [first, last] = [those[0] as Column, those.at(-1) as Column]
  return Math.abs(first.index - live) > Math.abs(last.index - live) ? those.slice(1) : those.slice(0, -1)
}

function liveStage(view: RunView): number {
  const busy = view.activities[0]
  return (busy ? view.places.get(busy.task)?.stage : nextCell(view)?.stage) ?? 0
}

/** First line of a window of `height` over `total` lines: moved only as far as `focus` demands. */
export function scrolled(top: number, focus: number, total: number, height: number): number {
  const margin = height > 6 ? 2 : 0
  const most = Math.max(0, total - height)
  const least = focus + margin - height + 1
  return Math.max(0, Math.min(most, Math.max(least, Math.min(top, focus - margin))))
}
