import { Box, Text, useInput } from 'ink'
import { useEffect, useReducer, useState } from 'react'
import type { RunView } from '../report/run-view.ts'
import { Grid } from './grid.tsx'
import { Header } from './header.tsx'
import { Help, LogPane } from './panes.tsx'
import { firstScreen, type Key, press, selectedRow, visibleRows } from './state.ts'

export interface AppProps {
  readonly view: RunView
  subscribe(onChange: () => void): void
  size(): { columns: number; rows: number }
  now(): number
  onStop(): void
  onDetach(): void
}

/** Header, grid or log, footer: never higher than the terminal. */
export function App({ view, subscribe, size, now, onStop, onDetach }: AppProps) {
  const [, redraw] = useReducer((count: number) => count + 1, 0)
  const [screen, setScreen] = useState(firstScreen)
  useEffect(() => {
    subscribe(redraw)
    const timer = setInterval(redraw, 1000)
    return () => clearInterval(timer)
  }, [subscribe])

  const { columns, rows } = size()
  const logHeight = rows >= 20 ? 5 : 0
  const bodyHeight = Math.max(1, rows - 5 - logHeight)

  useInput((input, key) => {
    const { state, effect } = press(keyOf(input, key), screen, view, bodyHeight)
    setScreen(state)
    if (effect === 'detach') onDetach()
    if (effect === 'stop') onStop()
  })

  const shown = visibleRows(view, screen)
  const selected = selectedRow(view, screen, shown)
  return (
    <Box flexDirection="column" width={columns} height={rows}>
      <Header view={view} now={now()} columns={columns} />
      {screen.mode === 'help' ? (
        <Help />
      ) : screen.mode === 'log' ? (
        <LogPane view={view} row={screen.selected} height={rows - 4} scroll={screen.scroll} columns={columns} />
      ) : (
        <>
          <Grid view={view} rows={shown} selected={selected} height={bodyHeight} columns={columns} />
          {logHeight > 0 && <LogPane view={view} row={selected} height={logHeight} scroll={0} columns={columns} />}
        </>
      )}
      <Box flexGrow={1} />
      <Footer mode={screen.mode} filter={screen.filter} failedOnly={screen.failedOnly} stopping={view.stopping} columns={columns} />
    </Box>
  )
}

function Footer({
  mode,
  filter,
  failedOnly,
  stopping,
  columns,
}: {
  mode: string
  filter: string
  failedOnly: boolean
  stopping: string | null
  columns: number
}) {
  if (mode === 'filter') return <Text wrap="truncate">{` filter: ${filter}▏  enter keep   esc clear`}</Text>
  const marks = [
    filter && `filter "${filter}" (esc clears)`,
    failedOnly && 'failed only (f shows all)',
    stopping === 'drain' && 'stopping: ctrl-c again ends now',
    stopping === 'now' && 'ending',
  ].filter(Boolean)
  const keys =
    mode === 'log'
      ? 'esc back   ↑↓ scroll   q detach   ctrl-c stop'
      : '↑↓ move   enter log   / filter   f failed   q detach   ctrl-c stop   ? help'
  const text = ` ${[...marks, keys].join('   · ')}`
  return (
    <Text dimColor={marks.length === 0} wrap="truncate">
      {text.slice(0, columns)}
    </Text>
  )
}

type InkKey = Parameters<Parameters<typeof useInput>[0]>[1]

function keyOf(input: string, key: InkKey): Key {
  if (key.ctrl && input === 'c') return { input: '', name: 'ctrl-c' }
  const names = [
    [key.upArrow, 'up'],
    [key.downArrow, 'down'],
    [key.pageUp, 'pageUp'],
    [key.pageDown, 'pageDown'],
    [key.home, 'home'],
    [key.end, 'end'],
    [key.return, 'return'],
    [key.escape, 'escape'],
    [key.backspace || key.delete, 'backspace'],
  ] as const
  const name = names.find(([pressed]) => pressed)?.[1] ?? null
  return { input: name ? '' : input, name }
}
