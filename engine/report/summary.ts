import { type LostWorker, type Remark, type RunFinished, unreachable } from '../core/events.ts'
import { formatBytes, formatCount, formatDuration, formatNumberOf } from '../core/format.ts'
import { sanitizeLine, sanitizeLines } from './sanitize.ts'
import { printable } from './markdown.ts'
import { lostWorkerText } from './view.ts'

/** What the end of a run needs beside its last event. */
export interface SummaryContext {
  /** How to go on, e.g. `dag run workflows/overnight.yaml`. */
  readonly command: string
  /** Columns of the terminal that it is printed on; any number where it is none. */
  readonly columns: number
  /** Text of a Markdown result, for printing; null when it cannot be read. */
  read(file: string): string | null
  /** Last lines of a log. */
  tail(log: string): readonly string[]
}

/** More of a message or a log than this is for its file. */
const shownLines = 12

/** What was done, reused and failed, where to look, and what to do next. The first failure stands last. */
export function summaryLines(end: RunFinished, context: SummaryContext): string[] {
  const { tasks, cells } = end
  const look = end.look.length > 0 ? ['look at', ...end.look.map((file) => `  ${sanitizeLine(file)}`)] : []
  if (tasks.ran === 0 && tasks.failed === 0 && end.outcome === 'done') {
    const turned = end.unchangedAfterAll > 0 ? ` (${formatCount(end.unchangedAfterAll)} unchanged after all)` : ''
    return [
      `nothing to do: all ${formatNumberOf(tasks.reused, 'task')}${turned}, ${formatNumberOf(cells.reused, 'cell')}, are up to date`,
      ...look,
    ]
  }
  const results = end.outcome === 'done' || end.leftOut ? end.look.filter((file) => file.endsWith('.md')) : []
  return [
    ...results.flatMap((file) => printed(context.read(file), context.columns)),
    '',
    outcomeText(end),
    ...table([
      ['tasks', formatCount(tasks.ran), 'done', formatCount(tasks.reused), 'reused', formatCount(tasks.failed), 'failed'],
      ['cells', formatCount(cells.ran), 'made', formatCount(cells.reused), 'reused', formatCount(cells.failed), 'failed'],
    ]),
    ...(end.unchangedAfterAll > 0
      ? [`  ${formatNumberOf(end.unchangedAfterAll, 'task')} unchanged after all: expected to run, but the inputs came out as before`]
      : []),
    `  ${[
      formatNumberOf(end.modelLoads, 'base load'),
      formatNumberOf(end.adapterSwitches, 'adapter switch', 'adapter switches'),
      `${formatBytes(end.bytes)} written`,
      ...(end.givenUp > 0 ? [`${formatBytes(end.givenUp)} given up after use`] : []),
      ...(end.peakMemory > 0 ? [`at most ${formatBytes(end.peakMemory)} of memory for the model`] : []),
    ].join(', ')}`,
    ...lostWorkerLines(end.lostWorkers ?? []),
    ...(end.leftOut ? [`  rankings and reports leave out what failed: ${sanitizeLine(end.leftOut.join(', '))}`] : []),
    ...remarkLines(end.remarks ?? []),
    ...look,
    ...nextLines(end, context),
  ]
}

/** Sidecars without which a run went on. */
export function lostWorkerLines(lost: readonly LostWorker[]): string[] {
  return lost.flatMap((worker) => sanitizeLines(lostWorkerText(worker)).map((text) => `  ${text}`))
}

/** What people should know before they believe what was made. */
export function remarkLines(remarks: readonly Remark[]): string[] {
  return remarks.length === 0 ? [] : ['note', ...remarks.map(({ step, text }) => `  ${sanitizeLine(step)}: ${sanitizeLine(text)}`)]
}

function printed(text: string | null, width: number): string[] {
  const lines = printable(text, width).map(sanitizeLine)
  return lines.length > 0 ? ['', ...lines] : []
}

function outcomeText({ outcome, seconds, cells }: RunFinished): string {
  const after = `after ${formatDuration(seconds)}`
  switch (outcome) {
    case 'done':
      return `done ${after}`
    case 'failed':
      return cells.ran + cells.reused > 0 ? `FAILED in part ${after}; the rest is done and kept` : `FAILED ${after}; nothing could be made`
    case 'stopped':
      return `stopped ${after}; finished work is kept`
    case 'interrupted':
      return `interrupted ${after}; committed work is kept`
    default:
      return unreachable(outcome)
  }
}

/** Figures right-aligned, words left. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] as string).length)))
  return rows.map((row) => {
    const drawn = row.map((text, column) =>
      column % 2 === 1 ? text.padStart(widths[column] as number) : text.padEnd(widths[column] as number),
    )
    const [head, ...rest] = drawn
    const pairs = rest.flatMap((text, index) => (index % 2 === 0 ? [`${text} ${rest[index + 1]}`] : []))
    return `  ${head}  ${pairs.join('   ')}`.trimEnd()
  })
}

function nextLines({ failure, outcome, tasks, because }: RunFinished, context: SummaryContext): string[] {
  const stopped = because === null ? [] : ['', `stopped, since ${sanitizeLine(because)}`]
  if (!failure) return outcome === 'done' ? [] : [...stopped, '', `go on with: ${context.command}`]
  const message = sanitizeLines(failure.message)
  const tail = failure.log ? context.tail(failure.log).flatMap(sanitizeLines).slice(-shownLines) : []
  return [
    ...stopped,
    '',
    `${tasks.failed > 1 ? `first of ${formatCount(tasks.failed)} failures` : 'failure'}: ${sanitizeLine(failure.task)}`,
    ...message.slice(0, shownLines).map((line) => `  ${line}`),
    ...(message.length > shownLines ? [`  … ${formatNumberOf(message.length - shownLines, 'more line')}`] : []),
    ...(failure.log ? [`  log: ${sanitizeLine(failure.log)}`, ...tail.map((line) => `    ${line}`)] : []),
    `run again with: ${context.command}`,
  ]
}
