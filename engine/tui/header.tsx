import { Box, Text } from 'ink'
import { formatBytes, formatCount, formatDuration } from '../report/format.ts'
import { clock } from '../report/plain.ts'
import type { Activity, RunView } from '../report/run-view.ts'

/** Which run, since when, how long still, how much room; and what is loaded. */
export function Header({ view, now, columns }: { view: RunView; now: number; columns: number }) {
  const { started } = view
  if (!started) return <Text> starting</Text>
  const left = view.secondsLeft()
  const right = [
    clock(now - view.startedAt),
    left === null ? null : `~${formatDuration(left)} left`,
    `disk ${formatBytes(view.bytes)} of ${formatBytes(started.expected.bytes)}`,
  ].filter(Boolean)
  const model = view.base
    ? `${view.base} · ${view.adapter ? `adapter ${view.adapter} on` : 'adapter off'}`
    : (view.setup ?? 'no model loaded')
  const counts = `${formatCount(view.behind)} of ${formatCount(view.expected)} cells made · loads ${view.modelLoads} of ${started.expected.modelLoads} · switches ${view.adapterSwitches} of ${started.expected.adapterSwitches}`
  return (
    <Box flexDirection="column" flexShrink={0}>
      <Line columns={columns} left={` ${started.workflow} · run ${started.run.slice(-4)}`} right={`${right.join('   ')} `} bold />
      <Line columns={columns} left={` ${view.base && view.setup ? `${model} · ${view.setup}` : model}`} right={`${counts} `} />
      <Text color="cyan" wrap="truncate">{` ${[...view.activities.values()].map(activityText).join('   ')}`}</Text>
    </Box>
  )
}

/** One line with both ends filled; the left one is cut when they meet. */
function Line({ left, right, columns, bold = false }: { left: string; right: string; columns: number; bold?: boolean }) {
  const room = Math.max(0, columns - right.length - 1)
  const text = left.slice(0, room).padEnd(room + 1) + right
  return (
    <Text bold={bold} dimColor={!bold} wrap="truncate">
      {text.slice(0, columns)}
    </Text>
  )
}

/** `answers/flattery/discovery · batch 2 of 11 · 3/16 · 212 tok/s` */
function activityText({ task, batch, batches, done, total, tokens, tokensPerSecond }: Activity): string {
  const parts = [
    task,
    batches > 1 ? `batch ${Math.min(batch + 1, batches)} of ${batches}` : null,
    total > 0 ? `${done}/${total}` : null,
    tokensPerSecond === null ? (tokens > 0 ? `${formatCount(tokens)} tokens` : null) : `${formatCount(tokensPerSecond)} tok/s`,
  ]
  return parts.filter(Boolean).join(' · ')
}
