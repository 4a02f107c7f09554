import type { RunEvent } from '../core/events.ts'
import { groupedAs, groupLine, plainLines, type TaskGroup } from './plain.ts'
import { reduce } from './reduce.ts'
import { emptyView, type RunView } from './view.ts'

/** Shows or records a run. Sinks know nothing but its events. */
export interface Sink {
  event(event: RunEvent): void
  close(): Promise<void>
}

/** Plain lines. `seen` is what happened before, when the run was shown in another way so far. */
export function plainSink(write: (text: string) => void, seen: RunView = emptyView): Sink {
  let view = seen
  let group: TaskGroup | null = null
  const print = (lines: readonly string[]): void => {
    if (lines.length > 0) write(`${lines.join('\n')}\n`)
  }
  const endGroup = (): void => {
    if (group) print([groupLine(view, group)])
    group = null
  }
  return {
    event(event) {
      view = reduce(view, event)
      const lines = plainLines(view, event)
      const about = groupedAs(event)
      if (lines.length > 0 || event.type === 'run-finished' || (about !== null && about !== group?.about)) endGroup()
      if (about !== null && 'task' in event && event.task !== null) {
        group = { about, at: group?.at ?? event.at, tasks: [...(group?.tasks ?? []), event.task] }
      }
      print(lines)
    },
    async close() {
      endGroup()
    },
  }
}

/** One event a line, as it is. */
export function jsonSink(write: (text: string) => void): Sink {
  return {
    event: (event) => write(`${JSON.stringify(event)}\n`),
    async close() {},
  }
}
