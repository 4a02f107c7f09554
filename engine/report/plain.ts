import type { RunEvent } from '../core/events.ts'
import { formatBytes, formatCount, formatDuration } from './format.ts'
import type { RunView } from './run-view.ts'
import { sanitize } from './sanitize.ts'

/** Lines for a terminal without the TUI, for files and for CI. `view` has already taken the event in. */
export function plainLines(view: RunView, event: RunEvent): string[] {
  const line = (text: string): string[] => [`${clock(event.at - view.startedAt)}  ${sanitize(text)}`]
  switch (event.type) {
    case 'run-started': {
      const { tasks, cells, modelLoads, adapterSwitches, seconds, bytes } = event.expected
      if (tasks.run === 0) return []
      const time = seconds === null ? '' : `, about ${formatDuration(seconds)}`
      return [
        `${event.workflow}: run ${event.run}`,
        `${formatCount(tasks.run)} of ${formatCount(tasks.total)} tasks to run, ${formatCount(cells.run)} of ${formatCount(cells.total)} cells${time}, up to ${formatBytes(bytes)}, ${modelLoads} base loads, ${adapterSwitches} adapter switches`,
      ]
    }
    case 'setup':
      return line(event.text)
    case 'state-changed':
      if (event.change === 'adapter-off') return []
      return line(`${event.change === 'base-loaded' ? 'loaded' : 'adapter on:'} ${event.name} (${formatDuration(event.seconds)})`)
    case 'task-settled':
      return event.unchangedAfterAll ? line(`${event.task}  unchanged after all`) : []
    case 'task-finished': {
      if (event.ran === 0) return []
      const reused = event.reused > 0 ? `, ${formatCount(event.reused)} reused` : ''
      const left = view.secondsLeft()
      return line(
        `${event.task}  done, ${formatCount(event.ran)} cells made${reused}${left === null || left < 1 ? '' : `  (about ${formatDuration(left)} left)`}`,
      )
    }
    case 'task-failed':
      return line(`${event.task}  FAILED: ${event.message}`)
    case 'task-blocked':
      return line(`${event.task}  blocked by ${event.because}`)
    case 'cell-failed':
      return line(`${event.task}  cell ${event.cell} failed: ${event.reason}`)
    case 'object-lost':
      return line(`${event.detail}; it is in quarantine, ${formatCount(event.cells)} cells are made again`)
    case 'stop-requested':
      return line(event.how === 'drain' ? 'stopping: what runs is finished first; once more to end it now' : 'ending now')
    case 'log':
      return event.task === null ? line(event.text) : []
    case 'task-started':
    case 'task-progress':
    case 'batch-finished':
    case 'run-finished':
      return []
  }
}

/** `mm:ss`, or `h:mm:ss` past an hour. */
export function clock(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000))
  const pad = (value: number) => String(value).padStart(2, '0')
  const minutes = Math.floor(seconds / 60)
  return minutes < 60 ? `${pad(minutes)}:${pad(seconds % 60)}` : `${Math.floor(minutes / 60)}:${pad(minutes % 60)}:${pad(seconds % 60)}`
}
