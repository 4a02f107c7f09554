import { Text } from 'ink'
import type { WorkerName } from '../core/events.ts'
import { formatBytes, formatClock, formatCount, formatDuration, formatNumberOf, formatRate } from '../core/format.ts'
import { sanitizeLine } from '../report/sanitize.ts'
import { timeLeft } from '../report/time-left.ts'
import { type Activity, cellsLeft, type RunView, workerOf } from '../report/view.ts'
import { ends, fit } from './text.ts'

const roomForNames = 140

/** Three lines: which run and how long still, how far it is, what it does now. */
export function Header({ view, now, columns }: { readonly view: RunView; readonly now: number; readonly columns: number }) {
  const { started, taskStates, failures } = view
  if (!started) return <Text>{fit(' starting', columns)}</Text>
  const finished = taskStates.done + taskStates.cached + taskStates.unchanged
  const counts = [
    `${formatCount(view.cellsMade)} of ${formatNumberOf(view.cellsMade + cellsLeft(view), 'cell')} made`,
    `${formatCount(finished)} of ${formatNumberOf(started.tasks.length, 'task')} done`,
    ...(failures.length > 0 ? [`${formatCount(failures.length)} FAILED`] : []),
  ]
  const { modelLoads, adapterSwitches } = started.expected
  const switches = `switches ${view.adapterSwitches} of ${adapterSwitches} `
  const loads = `loads ${view.modelLoads} of ${modelLoads} · ${switches}`
  return (
    <>
      <Text bold wrap="truncate">
        {ends(sanitizeLine(` ${started.workflow} · run ${started.run.slice(-4)}`), timeTexts(view, now), columns)}
      </Text>
      <Text {...(failures.length > 0 ? { color: 'red' } : { dimColor: true })} wrap="truncate">
        {ends(` ${counts.join(' · ')}`, [loads, switches], columns)}
      </Text>
      <Text color="cyan" wrap="truncate">
        {ends(sanitizeLine(` ${nowText(view)}`), [loadedText(view, columns)], columns)}
      </Text>
    </>
  )
}

function timeTexts(view: RunView, now: number): string[] {
  const left = timeLeft(view)
  const { bytes } = (view.started as NonNullable<RunView['started']>).expected
  const clock = formatClock(now - view.startedAt)
  const time = left ? `${clock}   ${left.atLeast ? 'at least ' : '~'}${formatDuration(left.seconds)} left` : clock
  return [`${time}   disk ${bytesOf(view.bytes, Math.max(bytes, view.bytes))} `, `${time} `, `${clock} `]
}

/** `318 of 908 GB`, the unit once when it is the same. */
function bytesOf(part: number, whole: number): string {
  const [from, to] = [formatBytes(part), formatBytes(whole)]
  return from.split(' ')[1] === to.split(' ')[1] ? `${from.split(' ')[0]} of ${to}` : `${from} of ${to}`
}

function nowText({ activities, setup, stopping, finished }: RunView): string {
  if (finished) return finished.outcome
  const [first, ...more] = activities
  const parts = [
    ...(stopping === 'drain' ? ['stopping after what runs'] : stopping === 'now' ? ['ending'] : []),
    ...(setup ? [setup] : []),
    ...(first ? [activityText(first)] : []),
    ...(more.length > 0 ? [`and ${formatNumberOf(more.length, 'more task')}`] : []),
  ]
  return parts.length > 0 ? `now: ${parts.join(' · ')}` : 'now: nothing runs'
}

/** `answers/flattery/discovery · batch 2 of 11 · 3/16 · 212 tok/s` */
function activityText({ task, batch, batches, done, total, rate }: Activity): string {
  return [
    task,
    ...(batch !== null && batches !== null && batches > 1 ? [`batch ${Math.min(batch, batches)} of ${batches}`] : []),
    ...(total > 0 ? [`${done}/${total}`] : []),
    ...(rate ? [formatRate(rate.perSecond, rate.unit)] : []),
  ].join(' · ')
}

/** `cuda:1 flattery`, the adapter that is on or else the model. */
function heldText(view: RunView, name: WorkerName): string {
  const { base, adapter } = workerOf(view, name)
  return sanitizeLine(`${name} ${adapter ?? base ?? '–'}`)
}

/** The names only where there is room for them beside every activity, so that the line does not jump. */
function loadedText(view: RunView, columns: number): string {
  const names = view.started?.workers
  if (names) return columns < roomForNames ? `on ${names.length} devices ` : names.map((name) => heldText(view, name)).join(' · ')
  const { base, adapter } = workerOf(view, undefined)
  if (base === null) return 'no model loaded '
  if (columns < roomForNames) return adapter === null ? 'adapter off ' : 'adapter on '
  return sanitizeLine(adapter === null ? `${base} · adapter off ` : `${base} · adapter on: ${adapter} `)
}
