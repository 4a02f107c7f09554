import type { RunFinished } from '../core/events.ts'
import { formatBytes, formatCount, formatDuration } from './format.ts'
import { sanitize } from './sanitize.ts'

/** What the end of a run needs beside its last event. */
export interface SummaryContext {
  /** How to go on, e.g. `dag run workflows/overnight.yaml`. */
  readonly command: string
  /** Text of a Markdown result, for printing; null when it cannot be read. */
  read(file: string): string | null
  /** Last lines of a log. */
  tail(log: string): readonly string[]
}

const longestPrinted = 60

/** What was done, reused and failed, where to look, and what to do next. The first failure stands last. */
export function summaryLines(end: RunFinished, context: SummaryContext): string[] {
  const { tasks, cells } = end
  const look = end.look.map((file) => `  ${file}`)
  if (tasks.ran === 0 && tasks.failed === 0 && end.outcome === 'done') {
    return [
      `nothing to do: all ${formatCount(tasks.reused)} tasks (${formatCount(cells.reused)} cells) are up to date`,
      ...(look.length > 0 ? ['look at', ...look] : []),
    ]
  }
  const printed =
    end.outcome === 'done' ? end.look.filter((file) => file.endsWith('.md')).flatMap((file) => ['', ...printable(context.read(file))]) : []
  return [
    ...printed,
    '',
    `${outcomeText(end)} after ${formatDuration(end.seconds)}`,
    `  tasks  ${formatCount(tasks.ran)} done, ${formatCount(tasks.reused)} reused, ${formatCount(tasks.failed)} failed`,
    `  cells  ${formatCount(cells.ran)} made, ${formatCount(cells.reused)} reused, ${formatCount(cells.failed)} failed`,
    ...(end.unchangedAfterAll > 0 ? [`  ${formatCount(end.unchangedAfterAll)} tasks unchanged after all`] : []),
    `  ${formatCount(end.modelLoads)} base loads, ${formatCount(end.adapterSwitches)} adapter switches, ${formatBytes(end.bytes)} written`,
    ...(look.length > 0 ? ['look at', ...look] : []),
    ...failureLines(end, context),
  ]
}

function outcomeText(end: RunFinished): string {
  switch (end.outcome) {
    case 'done':
      return 'done'
    case 'failed':
      return 'FAILED in part; the rest is done and kept'
    case 'stopped':
      return 'stopped; finished work is kept'
    case 'interrupted':
      return 'interrupted; committed work is kept'
  }
}

function failureLines({ failure, outcome }: RunFinished, context: SummaryContext): string[] {
  if (!failure) return outcome === 'done' ? [] : ['', `go on with: ${context.command}`]
  const tail = failure.log ? context.tail(failure.log) : []
  return [
    '',
    `first failure: ${failure.task}`,
    ...sanitize(failure.message)
      .split('\n')
      .map((line) => `  ${line}`),
    ...(failure.log ? [`  log: ${failure.log}`, ...tail.map((line) => `    ${sanitize(line)}`)] : []),
    `run again with: ${context.command}`,
  ]
}

/** A short Markdown text with its tables drawn for a terminal. */
function printable(text: string | null): string[] {
  const lines = (text ?? '').trimEnd().split('\n')
  if (text === null || lines.length > longestPrinted) return []
  const rows = lines.filter(isRow).map(cellsOf)
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').replace('*', '').length)))
  return lines
    .filter((line) => !/^\|( --- \|)+$/.test(line))
    .map((line) => (isRow(line) ? drawRow(cellsOf(line), widths) : line.replace(/^#+ /, '')))
}

function isRow(line: string): boolean {
  return line.startsWith('| ') && !line.startsWith('| ---')
}

function cellsOf(line: string): string[] {
  return line
    .slice(2, -2)
    .split(' | ')
    .map((cell) => cell.replace(/^\*\*(.*)\*\*$/, '$1*'))
}

/** First column to the left, figures to the right; a star marks what was bold. */
function drawRow(cells: readonly string[], widths: readonly number[]): string {
  const drawn = cells.map((cell, index) => {
    const width = widths[index] as number
    if (index === 0) return cell.padEnd(width)
    return (cell.endsWith('*') ? cell : `${cell} `).padStart(width + 1)
  })
  return `  ${drawn.join('  ')}`.trimEnd()
}
