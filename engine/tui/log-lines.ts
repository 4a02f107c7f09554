import { formatClock } from '../core/format.ts'
import { sanitizeLine } from '../report/sanitize.ts'
import type { LogEntry, RunView, TaskView } from '../report/view.ts'
import { wrap } from './text.ts'

const indent = ' '.repeat(10)

/** The log of a task as lines of at most `width` columns, with what the engine said meanwhile; at most the `last` entries. */
export function logLines(view: RunView, task: TaskView, width: number, last = Number.MAX_SAFE_INTEGER): string[] {
  return entriesOf(view, task)
    .slice(-last)
    .flatMap(({ at, text }) =>
      wrap(sanitizeLine(text), Math.max(10, width - indent.length)).map((line, index) =>
        index === 0 ? `${formatClock(at - view.startedAt)}  ${line}` : `${indent}${line}`,
      ),
    )
}

function entriesOf({ log: engine }: RunView, { log, state }: TaskView): readonly LogEntry[] {
  const [first, last] = [log[0], log.at(-1)]
  if (!first || !last || engine.length === 0) return log
  const meanwhile = engine.filter(({ at }) => at >= first.at && (state === 'running' || at <= last.at))
  return meanwhile.length === 0 ? log : [...log, ...meanwhile].sort((a, b) => a.at - b.at)
}
