import { Box, Text } from 'ink'
import { memo } from 'react'
import { formatCount } from '../report/format.ts'
import type { RunView } from '../report/run-view.ts'
import { windowAround } from './state.ts'
import { cellText, middle, type Tone } from './text.ts'

const widestColumn = 18
const narrowestColumn = 13
const longestName = 28

/** Organisms × stages. Only the rows of the window are mounted. */
export function Grid({
  view,
  rows,
  selected,
  height,
  columns,
}: {
  view: RunView
  rows: readonly string[]
  selected: string | null
  height: number
  columns: number
}) {
  const nameWidth = Math.min(longestName, Math.max(8, ...view.rows.map((row) => row.length))) + 1
  const room = columns - nameWidth - 3
  const stages = visibleStages(view, Math.max(1, Math.floor(room / narrowestColumn)))
  const columnWidth = Math.max(narrowestColumn, Math.min(widestColumn, Math.floor(room / stages.length)))
  const { from, to } = windowAround(rows.length, Math.max(0, rows.indexOf(selected ?? '')), height - 2)
  return (
    <Box flexDirection="column" flexShrink={0}>
      <Text dimColor wrap="truncate">
        {`   ${''.padEnd(nameWidth)}${stages.map((stage) => middle(stage, columnWidth - 1).padEnd(columnWidth)).join('')}`}
      </Text>
      {rows.slice(from, to).map((row) => (
        <Row
          key={row}
          name={middle(row, nameWidth - 1).padEnd(nameWidth)}
          selected={row === selected}
          cells={stages.map((stage) => cellText(view.cell(row, stage), columnWidth - 1))}
          width={columnWidth}
        />
      ))}
      <Text dimColor wrap="truncate">
        {rows.length === 0
          ? '   no row fits the filter'
          : rows.length > to - from
            ? `   ${formatCount(from)} rows above, ${formatCount(rows.length - to)} below`
            : ' '}
      </Text>
    </Box>
  )
}

/** The stages that fit: those around the one that runs. */
function visibleStages(view: RunView, room: number): readonly string[] {
  const [activity] = view.activities.values()
  const live = activity ? view.stages.indexOf(view.taskInfo(activity.task)?.stage ?? '') : 0
  const { from, to } = windowAround(view.stages.length, Math.max(0, live), room)
  return view.stages.slice(from, to)
}

interface RowProps {
  readonly name: string
  readonly selected: boolean
  readonly cells: readonly { text: string; tone: Tone }[]
  readonly width: number
}

const Row = memo(
  function Row({ name, selected, cells, width }: RowProps) {
    return (
      <Box flexShrink={0}>
        <Text bold={selected}>{`${selected ? ' ›' : '  '} ${name}`}</Text>
        {cells.map((cell, index) => (
          <Text key={index} {...toneOf(cell.tone)}>
            {cell.text.slice(0, width - 1).padEnd(width)}
          </Text>
        ))}
      </Box>
    )
  },
  (before, after) =>
    before.name === after.name &&
    before.selected === after.selected &&
    before.width === after.width &&
    before.cells.length === after.cells.length &&
    before.cells.every((cell, index) => cell.text === after.cells[index]?.text),
)

function toneOf(tone: Tone): { color?: string; dimColor?: boolean; bold?: boolean } {
  switch (tone) {
    case 'quiet':
      return { dimColor: true }
    case 'live':
      return { color: 'cyan', bold: true }
    case 'good':
      return { color: 'green' }
    case 'bad':
      return { color: 'red', bold: true }
    case 'plain':
      return {}
  }
}
