import { Text } from 'ink'
import type { ScreenState } from './state.ts'
import { firstThatFits, fit } from './text.ts'

/** The keys that work now. */
export function Footer({
  screen,
  stopping,
  columns,
}: {
  readonly screen: ScreenState
  readonly stopping: 'drain' | 'now' | null
  readonly columns: number
}) {
  if (screen.mode === 'filter') return <Text wrap="truncate">{fit(` / ${screen.filter}▏  enter keep   esc clear   ↑↓ move`, columns)}</Text>
  return (
    <Text dimColor={stopping === null} wrap="truncate">
      {fit(` ${firstThatFits(keysOf(screen, stopping), columns - 1)}`, columns)}
    </Text>
  )
}

/** Widest first. */
function keysOf({ mode, selected, filter, failedOnly }: ScreenState, stopping: 'drain' | 'now' | null): string[] {
  const stop = stopping === null ? ['ctrl-c stop'] : stopping === 'drain' ? ['ctrl-c end now'] : []
  const end = ['q detach', ...stop]
  const esc = filter !== '' || failedOnly ? ['esc all'] : selected === null ? [] : ['esc follow']
  switch (mode) {
    case 'log':
      return [keys(['esc back', '↑↓ scroll', '←→ other task', ...end, '? help'])]
    case 'help':
      return [keys(['any key back', ...end])]
    case 'grid':
    case 'filter':
      return [
        keys(['↑↓ move', 'enter log', '/ filter', failedOnly ? 'f all' : 'f failed', ...esc, ...end, '? help']),
        keys(['enter log', '/ filter', failedOnly ? 'f all' : 'f failed', ...esc, ...end, '? help']),
        keys(['enter log', ...esc, ...end, '? help']),
      ]
  }
}

function keys(those: readonly string[]): string {
  return those.join('   ')
}
