import { Box, Text, useInput } from 'ink'
import { useSyncExternalStore } from 'react'
import { type RunView, taskOf } from '../report/view.ts'
import { Footer } from './footer.tsx'
import { Grid } from './grid.tsx'
import { Header } from './header.tsx'
import { type Columns, type Heights, heightsOf, type Size } from './layout.ts'
import { logLines } from './log-lines.ts'
import { Help, LogPanel, LogView } from './panes.tsx'
import { type Key, type ScreenState, selectedIndex, tellingTask, visibleRows } from './state.ts'

/** Everything that a frame is drawn from. */
export interface Frame {
  readonly view: RunView
  readonly screen: ScreenState
  readonly size: Size
  readonly shape: Columns
  readonly now: number
}

export interface AppProps {
  subscribe(onChange: () => void): () => void
  frame(): Frame
  onKey(key: Key): void
}

/** Header, grid or log, footer: as high as the terminal. */
export function App({ subscribe, frame, onKey }: AppProps) {
  const { view, screen, size, shape, now } = useSyncExternalStore(subscribe, frame)
  useInput((input, key) => onKey(keyOf(input, key)))
  const { columns, rows } = size
  const heights = heightsOf(view.rows.length, size)
  return (
    <Box flexDirection="column" width={columns} height={rows}>
      <Header view={view} now={now} columns={columns} />
      {heights.gap > 0 && <Text> </Text>}
      <Body view={view} screen={screen} size={size} shape={shape} heights={heights} />
      <Box flexGrow={1} />
      <Footer screen={screen} stopping={view.stopping} columns={columns} />
    </Box>
  )
}

function Body({ view, screen, size, shape, heights }: Omit<Frame, 'now'> & { readonly heights: Heights }) {
  const { columns } = size
  if (!view.started) return null
  if (screen.mode === 'help') return <Help height={heights.log + 1} />
  const task = shownTask(view, screen)
  if (screen.mode === 'log' && task) {
    const lines = logLines(view, task, columns - 3)
    return <LogView view={view} task={task} lines={lines} screen={screen} height={heights.log} columns={columns} />
  }
  return (
    <>
      <Grid view={view} screen={screen} height={heights.grid} shape={shape} columns={columns} />
      {heights.gap > 0 && <Text> </Text>}
      <LogPanel view={view} task={task} height={heights.panel} columns={columns} />
    </>
  )
}

/** The task whose log is shown: the opened one, or that of the marked row which tells most. */
export function shownTask(view: RunView, screen: ScreenState) {
  if (screen.task !== null) return taskOf(view, screen.task)
  const rows = visibleRows(view, screen)
  const row = rows[selectedIndex(view, screen, rows)]
  return row ? tellingTask(row, screen) : null
}

type InkKey = Parameters<Parameters<typeof useInput>[0]>[1]

function keyOf(input: string, key: InkKey): Key {
  if (key.ctrl) return { input: '', name: input === 'c' ? 'ctrl-c' : null }
  const names = [
    [key.upArrow, 'up'],
    [key.downArrow, 'down'],
    [key.leftArrow, 'left'],
    [key.rightArrow, 'right'],
    [key.pageUp, 'pageUp'],
    [key.pageDown, 'pageDown'],
    [key.home, 'home'],
    [key.end, 'end'],
    [key.return, 'return'],
    [key.escape, 'escape'],
    [key.backspace || key.delete, 'backspace'],
  ] as const
  const name = names.find(([pressed]) => pressed)?.[1] ?? null
  return { input: name || key.meta ? '' : input, name }
}
