import { Box, Text } from 'ink'
import type { RunView } from '../report/run-view.ts'
import { sanitize } from '../report/sanitize.ts'

/** The latest log lines of a row's tasks, without a frame, so that they can be copied. */
export function LogPane({
  view,
  row,
  height,
  scroll,
  columns,
}: {
  view: RunView
  row: string | null
  height: number
  scroll: number
  columns: number
}) {
  const lines = row === null ? [] : logOf(view, row)
  const end = Math.max(0, lines.length - scroll)
  const shown = lines.slice(Math.max(0, end - (height - 1)), end)
  return (
    <Box flexDirection="column" flexShrink={0} height={height}>
      <Text dimColor wrap="truncate">{` log · ${row ?? ''}${lines.length === 0 ? ' · nothing yet' : ''}`}</Text>
      {shown.map((line, index) => (
        <Text key={index} wrap="truncate">
          {`   ${line}`.slice(0, columns)}
        </Text>
      ))}
    </Box>
  )
}

/** Failures first, then what the tasks of the row printed. */
function logOf(view: RunView, row: string): string[] {
  const failures = view.failures
    .filter(({ task }) => view.taskInfo(task)?.row === row)
    .map(({ task, message }) => `${task} failed: ${message}`)
  const printed = view.tasksOf(row).flatMap(({ id }) => (view.logs.get(id) ?? []).map((line) => `${id}  ${line}`))
  return [...failures, ...printed].flatMap((text) => sanitize(text).split('\n'))
}

export function Help() {
  const lines = [
    ['↑ ↓ pgup pgdn home end', 'move; the marked row follows the work until you do'],
    ['enter', 'log of the marked row; esc goes back'],
    ['/', 'show only rows with a text in their name; esc shows all'],
    ['f', 'show only rows in which something failed'],
    ['q', 'leave this screen; the run goes on with plain lines'],
    ['ctrl-c', 'once: finish what runs and stop; again: end it now. Both can be resumed'],
  ]
  return (
    <Box flexDirection="column" flexShrink={0}>
      {lines.map(([keys, text]) => (
        <Text key={keys} wrap="truncate">{`   ${(keys as string).padEnd(24)} ${text}`}</Text>
      ))}
      <Text> </Text>
      <Text dimColor>{'   any key goes back'}</Text>
    </Box>
  )
}
