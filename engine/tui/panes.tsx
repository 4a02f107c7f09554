import { Box, Text } from 'ink'
import { sanitizeLine } from '../report/sanitize.ts'
import { rowOf, type RunView, type TaskView } from '../report/view.ts'
import { wordOf } from './cell-text.ts'
import { logLines } from './log-lines.ts'
import type { ScreenState } from './state.ts'
import { ends, fit } from './text.ts'

/** The latest log lines of a task below the grid, without a frame, so that they can be copied. */
export function LogPanel({
  view,
  task,
  height,
  columns,
}: {
  readonly view: RunView
  readonly task: TaskView | null
  readonly height: number
  readonly columns: number
}) {
  if (height === 0) return null
  const lines = task ? logLines(view, task, columns - 3, height).slice(-(height - 1)) : []
  const title = task ? `log · ${task.id}${lines.length === 0 ? ' · nothing yet' : ''}` : ''
  return <Lines title={fit(sanitizeLine(` ${title}`), columns)} lines={lines} height={height} />
}

/** The log of a task over the whole screen. */
export function LogView({
  view,
  task,
  lines,
  screen,
  height,
  columns,
}: {
  readonly view: RunView
  readonly task: TaskView
  readonly lines: readonly string[]
  readonly screen: ScreenState
  readonly height: number
  readonly columns: number
}) {
  const top = screen.scroll ?? Math.max(0, lines.length - height)
  const shown = lines.slice(top, top + height)
  const row = rowOf(view, task.id)
  const which = row && row.tasks.length > 1 ? ` · task ${row.tasks.indexOf(task) + 1} of ${row.tasks.length}` : ''
  const where =
    lines.length > height ? `lines ${top + 1}–${top + shown.length} of ${lines.length} ` : lines.length === 0 ? 'nothing yet ' : ''
  const title = ends(sanitizeLine(` log · ${task.id} · ${wordOf(task.state, false)}${which}`), [where], columns)
  return <Lines title={title} lines={shown} height={height + 1} />
}

function Lines({ title, lines, height }: { readonly title: string; readonly lines: readonly string[]; readonly height: number }) {
  return (
    <Box flexDirection="column" flexShrink={0} height={height}>
      <Text dimColor wrap="truncate">
        {title}
      </Text>
      {lines.map((line, index) => (
        <Text key={index} wrap="truncate">{`   ${line}`}</Text>
      ))}
    </Box>
  )
}

const keys = [
  ['↑ ↓ pgup pgdn home end', 'move; the mark follows the work until you do'],
  ['esc', 'show all rows again; once more: follow again'],
  ['enter', 'log of the marked row, ← → its other tasks'],
  ['/', 'only rows with a text in their name'],
  ['f', 'only rows in which something failed'],
  ['q', 'leave this screen; the run goes on in plain lines'],
  ['ctrl-c', 'finish what runs, then stop; again: end it now'],
] as const

const words = [
  ['waits', 'for its inputs, or for its turn'],
  ['next', 'its turn comes when what runs is done'],
  ['done', 'made in this run'],
  ['cached', 'there already'],
  ['unchanged', 'expected to run, but its inputs came out as before'],
  ['blocked', 'something it needs has failed'],
] as const

export function Help({ height }: { readonly height: number }) {
  const line = ([word, text]: readonly [string, string]) => `   ${word.padEnd(24)}${text}`
  const lines = [...keys.map(line), '', ...words.map(line)]
  return (
    <Lines title=" keys and words · any key goes back" lines={lines.slice(0, height - 1).map((text) => text.slice(3))} height={height} />
  )
}
