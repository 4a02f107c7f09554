import type { RunEvent, RunFinished, RunStarted } from '../core/events.ts'
import { formatDuration, formatNumberOf } from '../core/format.ts'
import { sanitizeLine } from './sanitize.ts'

/** What somebody who is not at the terminal is told of a run. */
export interface Notice {
  readonly about: 'end' | 'failure'
  readonly workflow: string
  readonly run: string
  /** One sentence that says it all. */
  readonly text: string
  /** How to go on, when something is left to do. */
  readonly next: string | null
  readonly outcome: RunFinished['outcome'] | null
  readonly tasks: RunFinished['tasks'] | null
  readonly cells: RunFinished['cells'] | null
  readonly seconds: number | null
  readonly bytes: number | null
  readonly failure: { readonly task: string; readonly message: string } | null
  readonly look: readonly string[]
}

/** Turns the events of a run into notices: one when the first task fails, one at the end of a run that did something. */
export function noticesOf(command: string): (event: RunEvent) => Notice | null {
  let started: RunStarted | null = null
  let failed = false
  return (event) => {
    if (event.type === 'run-started') started = event
    if (!started) return null
    const { workflow, run } = started
    if (event.type === 'task-failed' && !failed) {
      failed = true
      const failure = { task: event.task, message: event.message }
      const text = `${workflow}: ${event.task} failed: ${firstLine(event.message)}; what does not need it goes on`
      const nothing = { outcome: null, tasks: null, cells: null, seconds: null, bytes: null }
      return { about: 'failure', workflow, run, text, next: null, ...nothing, failure, look: [] }
    }
    if (event.type !== 'run-finished' || (event.tasks.ran === 0 && event.tasks.failed === 0 && event.outcome === 'done')) return null
    const { outcome, tasks, cells, seconds, bytes, failure, look } = event
    return {
      about: 'end',
      workflow,
      run,
      text: `${workflow}: ${endText(event)}`,
      next: outcome === 'done' ? null : command,
      outcome,
      tasks,
      cells,
      seconds,
      bytes,
      failure: failure && { task: failure.task, message: failure.message },
      look,
    }
  }
}

function endText({ outcome, seconds, tasks, cells, failure, because }: RunFinished): string {
  const done = `${formatNumberOf(tasks.ran, 'task')} done and ${tasks.reused} reused in ${formatDuration(seconds)}`
  const first = failure ? `, first ${failure.task}: ${firstLine(failure.message)}` : ''
  if (outcome === 'done') return `done, ${done}`
  if (outcome === 'failed')
    return `failed${cells.ran + cells.reused > 0 ? ' in part' : ''}, ${done}, ${formatNumberOf(tasks.failed, 'task')} failed${first}`
  return `${outcome}, ${done}${because === null ? '' : `, since ${because}`}`
}

function firstLine(message: string): string {
  return sanitizeLine(message.split('\n')[0] as string)
}
