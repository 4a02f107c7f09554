import { type RunEvent, unreachable } from '../core/events.ts'
import { formatBytes, formatClock, formatCount, formatDuration, formatNumberOf, formatRate } from '../core/format.ts'
import { sanitizeLine, sanitizeLines } from './sanitize.ts'
import { timeLeft } from './time-left.ts'
import { lostWorkerText, type RunView, taskOf } from './view.ts'

/** A batch that took this long gets a line, so that a long task shows that it lives. */
const longBatchSeconds = 30

/**
 * Lines for a terminal without the TUI, for files and for CI. `view` has already taken the event in. Tasks of which
 * many are told at once are left to `groupedAs`.
 */
export function plainLines(view: RunView, event: RunEvent): string[] {
  const line = (text: string): string[] => [`${formatClock(event.at - view.startedAt)}  ${sanitizeLine(text)}`]
  switch (event.type) {
    case 'run-started': {
      const { tasks, cells, modelLoads, adapterSwitches, seconds, bytes } = event.expected
      const { workers = [] } = event
      if (tasks.run === 0) return []
      return [
        sanitizeLine(`${event.workflow}: run ${event.run}`),
        `${formatCount(tasks.run)} of ${formatNumberOf(tasks.total, 'task')} to run, ${formatCount(cells.run)} of ${formatNumberOf(cells.total, 'cell')}`,
        [
          ...(seconds === null ? [] : [`about ${formatDuration(seconds)}`]),
          `up to ${formatBytes(bytes)}`,
          formatNumberOf(modelLoads, 'base load'),
          formatNumberOf(adapterSwitches, 'adapter switch', 'adapter switches'),
          ...(workers.length > 0 ? [`on ${workers.join(', ')}`] : []),
        ].join(', '),
      ]
    }
    case 'setup':
      return line(event.text)
    case 'state-changed':
      if (event.change === 'adapter-off') return []
      return line(
        `${event.worker === undefined ? '' : `${event.worker}: `}${event.change === 'base-loaded' ? 'loaded' : 'adapter on:'} ${event.name} (${formatDuration(event.seconds)})`,
      )
    case 'batch-finished':
      if (event.batch === event.batches || event.seconds < longBatchSeconds) return []
      return line(`${event.task}  batch ${event.batch} of ${event.batches}: ${made(event.cells, event.seconds, event.tokens)}${left(view)}`)
    case 'task-finished': {
      if (event.ran === 0) return []
      const task = taskOf(view, event.task)
      const reused = event.reused > 0 ? `, ${formatCount(event.reused)} reused` : ''
      return line(`${event.task}  done: ${made(event.ran, task?.seconds ?? 0, task?.tokens ?? 0)}${reused}${left(view)}`)
    }
    case 'task-failed': {
      if (view.stopping === 'now') return line(`${event.task}  ended before it was done`)
      const [first, ...more] = sanitizeLines(event.message)
      return [
        ...line(`${event.task}  FAILED: ${first}`),
        ...more.map((text) => `          ${text}`),
        ...(event.log ? [`          log: ${sanitizeLine(event.log)}`] : []),
      ]
    }
    case 'cell-failed':
      return line(`${event.task}  cell ${event.cell} failed: ${event.reason}`)
    case 'worker-lost':
      return line(lostWorkerText(event))
    case 'given-up':
      return line(`${event.task}  read by all that wanted it: ${formatBytes(event.bytes)} given up`)
    case 'object-lost':
      return line(`${event.detail}; it is in quarantine, ${formatNumberOf(event.cells, 'cell')} to be made again`)
    case 'stop-requested':
      if (event.how === 'now') return line('ending now; committed work is kept')
      return line(`stopping${event.because ? `, since ${event.because}` : ''}: what runs is finished first; ctrl-c ends it now`)
    case 'log':
      return event.task === null ? line(event.text) : []
    case 'task-settled':
    case 'task-started':
    case 'task-progress':
    case 'task-blocked':
    case 'run-finished':
      return []
    default:
      return unreachable(event)
  }
}

/** Tasks that came one after the other and are told in one line. */
export interface TaskGroup {
  readonly about: string
  readonly at: number
  readonly tasks: readonly string[]
}

/** What is told of the event's task together with the tasks before and after it. */
export function groupedAs(event: RunEvent): string | null {
  if (event.type === 'task-blocked') return `blocked, since ${event.because} failed`
  if (event.type === 'task-settled' && event.unchangedAfterAll) return 'unchanged after all'
  return null
}

const namedTasks = 3

export function groupLine(view: RunView, { about, at, tasks }: TaskGroup): string {
  const more = tasks.length > namedTasks ? ` and ${formatCount(tasks.length - namedTasks)} more` : ''
  const named = `${tasks.slice(0, namedTasks).join(', ')}${more}`
  return `${formatClock(at - view.startedAt)}  ${sanitizeLine(`${formatNumberOf(tasks.length, 'task')} ${about}: ${named}`)}`
}

function made(cells: number, seconds: number, tokens: number): string {
  const count = formatNumberOf(cells, 'cell')
  if (seconds <= 0) return count
  const rate = tokens > 0 ? `, ${formatRate(tokens / seconds, 'tok')}` : cells > 1 ? `, ${formatRate(cells / seconds, 'cell')}` : ''
  return `${count} in ${formatDuration(seconds)}${rate}`
}

function left(view: RunView): string {
  const time = timeLeft(view)
  return time && time.seconds >= 1 ? ` (${time.atLeast ? 'at least' : 'about'} ${formatDuration(time.seconds)} left)` : ''
}
