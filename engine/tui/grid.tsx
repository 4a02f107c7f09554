import { Box, Text } from 'ink'
import { memo } from 'react'
import { formatCount } from '../core/format.ts'
import { sanitizeLine } from '../report/sanitize.ts'
import { isStepRow, nextCell, type RowView, type RunView, type TaskState } from '../report/view.ts'
import { cellText } from './cell-text.ts'
import type { Columns } from './layout.ts'
import { type ScreenState, selectedIndex, visibleRows } from './state.ts'
import { cutMiddle, fit } from './text.ts'

export interface GridProps {
  readonly view: RunView
  readonly screen: ScreenState
  readonly height: number
  readonly shape: Columns
  readonly columns: number
}

/** Organisms × stages. Only the rows of the window are mounted. */
export function Grid({ view, screen, height, shape, columns }: GridProps) {
  const rows = visibleRows(view, screen)
  const selected = selectedIndex(view, screen, rows)
  const next = nextCell(view)
  const shown = rows.slice(screen.top, screen.top + height)
  return (
    <Box flexDirection="column" flexShrink={0}>
      <Text dimColor wrap="truncate">
        {fit(headText(view, shape), columns)}
      </Text>
      {shown.map((row, index) => (
        <Row key={row.name} row={row} shape={shape} selected={screen.top + index === selected} next={next?.row === row ? next.stage : -1} />
      ))}
      {Array.from({ length: height - shown.length }, (_, index) => (
        <Text key={index}> </Text>
      ))}
      <Text dimColor wrap="truncate">
        {fit(sanitizeLine(` ${countsText(view, screen, rows, shown.length)}`), columns)}
      </Text>
    </Box>
  )
}

function headText(view: RunView, { name, stages, hidden }: Columns): string {
  const heads = stages.map(({ index, width }) => fit(cutMiddle(view.stages[index] as string, width), width))
  const more = hidden > 0 ? ` +${hidden} ${hidden === 1 ? 'stage' : 'stages'}` : ''
  return `  ${fit(stages.length > 0 ? 'organism' : 'step', name)} ${heads.join(' ')}${more}`
}

/** How the rows stand, those outside the window too. */
function countsText(view: RunView, { top, filter, failedOnly }: ScreenState, rows: readonly RowView[], shown: number): string {
  const window = shown < rows.length ? [`rows ${formatCount(top + 1)}–${formatCount(top + shown)} of ${formatCount(rows.length)}`] : []
  if (filter !== '' || failedOnly) {
    const what = [failedOnly ? 'failed only' : '', filter === '' ? '' : `filter "${filter}"`].filter(Boolean).join(', ')
    return [`${what}: ${formatCount(rows.length)} of ${formatCount(view.rows.length)} rows`, ...window, 'esc shows all'].join(' · ')
  }
  const words = [
    ['running', 'run'],
    ['done', 'done'],
    ['cached', 'cached'],
    ['unchanged', 'unchanged'],
    ['blocked', 'blocked'],
  ] as const
  const waiting = view.rowStates.waits + view.rowStates.ready
  const states = words.flatMap(([state, word]) => (view.rowStates[state] > 0 ? [`${formatCount(view.rowStates[state])} ${word}`] : []))
  const [first] = view.failures
  const failed = view.rowStates.failed > 0 && first ? [`${formatCount(view.rowStates.failed)} failed (f shows): ${first.task}`] : []
  return [...window, ...states, ...(waiting > 0 ? [`${formatCount(waiting)} wait`] : []), ...failed].join(' · ')
}

interface RowProps {
  readonly row: RowView
  readonly shape: Columns
  readonly selected: boolean
  /** Stage of the row whose turn comes next, or -1. */
  readonly next: number
}

const Row = memo(function Row({ row, shape, selected, next }: RowProps) {
  const name = fit(cutMiddle(sanitizeLine(row.name), shape.name), shape.name)
  const step = isStepRow(row)
  return (
    <Box flexShrink={0} height={1}>
      <Text bold={selected} wrap="truncate">
        {`${selected ? '›' : ' '} ${name} `}
      </Text>
      {step ? (
        <StepCells row={row} next={next} />
      ) : (
        shape.stages.map(({ index, width }) => {
          const cell = row.cells[index]
          if (!cell) return <Text key={index}>{' '.repeat(width + 1)}</Text>
          return (
            <Text key={index} {...toneOf(cell.state)} wrap="truncate">
              {`${fit(cellText(cell, width, next === index), width)} `}
            </Text>
          )
        })
      )}
    </Box>
  )
})

/** A step without organisms stands in no column: its state is written as a sentence. */
function StepCells({ row, next }: { readonly row: RowView; readonly next: number }) {
  const cell = row.cells.find((each) => each !== null)
  if (!cell) return null
  return (
    <Text {...toneOf(cell.state)} wrap="truncate">
      {`step: ${cellText(cell, 32, next >= 0)}`}
    </Text>
  )
}

function toneOf(state: TaskState): { color?: string; dimColor?: boolean; bold?: boolean } {
  switch (state) {
    case 'running':
      return { color: 'cyan', bold: true }
    case 'done':
      return { color: 'green' }
    case 'failed':
      return { color: 'red', bold: true }
    case 'blocked':
      return { color: 'yellow' }
    case 'waits':
    case 'ready':
    case 'cached':
    case 'unchanged':
      return { dimColor: true }
  }
}
