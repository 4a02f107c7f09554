import { columns } from './columns.ts'
import { formatAgo, formatBytes, formatCount, formatDuration, formatNumberOf, formatPlural } from '../core/format.ts'
import { sanitizeLine, sanitizeLines } from './sanitize.ts'
import type { Outcome, RunLine, RunReport, StoreReport } from './show-run.ts'
import type { WorkflowReport } from './show-workflow.ts'
import { lostWorkerLines, remarkLines } from './summary.ts'

/** More failures, cells and tasks than this are counted, unless every one is asked for. */
const shownEach = 8
const longestName = 18
const shownLines = 4

/** The last runs, and what the store holds. `given`: how something and this store stand after a command. */
export function storeText({ store, runs, operations, objects, index }: StoreReport, now: number, given = (what: string) => what): string {
  if (runs.length === 0 && operations.length === 0) return `the store ${store} is empty: no run has made anything yet\n`
  const total = (of: (row: StoreReport['operations'][number]) => number) => operations.reduce((sum, row) => sum + of(row), 0)
  const held = [
    ...operations.map(({ operation, cells, batches, bytes }) => [operation, formatCount(cells), formatCount(batches), formatBytes(bytes)]),
    ['together', formatCount(total((row) => row.cells)), formatCount(total((row) => row.batches)), formatBytes(objects.bytes)],
  ]
  return lines([
    runs.length === 0 ? 'no run has left a journal' : 'the last runs',
    ...(runs.length === 0 ? [] : runTable(runs, now)),
    '',
    `in the store ${store}: ${formatNumberOf(objects.count, 'object')}, ${formatBytes(objects.bytes)}; the index takes ${formatBytes(index.bytes)}`,
    ...indented(columns([['operation', 'cells', 'batches', 'on disk'], ...held], [0])),
    ...(runs[0] ? ['', `more of a run: dag show ${given(runs[0].run)}; of a workflow: dag show ${given('WORKFLOW.yaml')}`] : []),
  ])
}

function runTable(runs: readonly RunLine[], now: number): string[] {
  const rows = runs.map(({ run, workflow, at, outcome, seconds, cells }) => [
    run,
    cut(workflow),
    formatAgo(now - at),
    outcome,
    formatCount(cells.ran),
    cells.reused === null ? '' : formatCount(cells.reused),
    cells.failed === null ? '' : formatCount(cells.failed),
    formatDuration(seconds),
  ])
  return indented(columns([['run', 'workflow', 'started', 'outcome', 'cells made', 'reused', 'failed', 'took'], ...rows], [0, 1, 2, 3]))
}

/**
 * What of a workflow is there: what people count, then step by step, then where the results are. `given`: its file and store
 * as they stand after a command.
 */
export function workflowText(report: WorkflowReport, details: boolean, now: number, given = report.file): string {
  const { workflow, tasks, cells, bytes, artifacts, steps, results, remarks, lastRun } = report
  const whole = cells.missing === 0
  const state = whole
    ? `everything is up to date: ${formatNumberOf(tasks.total, 'task')}, ${formatNumberOf(cells.total, 'cell')}, ${formatBytes(bytes)} on disk`
    : `${formatCount(tasks.done)} of ${formatNumberOf(tasks.total, 'task')} up to date, ${formatBytes(bytes)} on disk; ${formatNumberOf(cells.missing, 'cell')} missing`
  const kinds = artifacts.map(({ what, there, total, bytes: held }) => [
    there === total ? formatCount(total) : `${formatCount(there)} of ${formatCount(total)}`,
    total === 1 ? what.replace(/s$/, '') : what,
    formatBytes(held),
  ])
  const rows = steps.map((step) => [
    step.step,
    `${formatCount(step.tasks.filter((task) => task.cells.missing === 0).length)}/${formatCount(step.tasks.length)}`,
    formatCount(step.cells.there),
    formatCount(step.cells.missing),
    step.artifacts.map(({ there, what }) => formatPlural(there, what)).join(', '),
    formatBytes(step.bytes),
  ])
  return lines([
    `${workflow}: ${state}`,
    ...(cells.lost > 0 ? [`  ${formatCount(cells.lost)} of them lost: made before, but the object is gone or damaged`] : []),
    '',
    ...indented(columns(kinds, [1])),
    '',
    ...indented(columns([['step', 'tasks', 'cells there', 'missing', 'holds', 'on disk'], ...rows], [0])),
    ...taskLines(report, details),
    '',
    ...resultLines(results),
    ...(remarks.length > 0 ? ['', ...remarkLines(remarks)] : []),
    ...(lastRun ? ['', `last run ${lastRun.run}, ${formatAgo(now - lastRun.at)}: ${outcomeText(lastRun)}`] : []),
    ...(whole ? [] : [`what is missing is made by: dag run ${given}; why: dag plan ${given}`]),
  ])
}

/** Where nothing is done yet, every task lacks everything. */
function taskLines({ cells: counts, steps }: WorkflowReport, details: boolean): string[] {
  const all = steps.flatMap(({ tasks }) => tasks)
  const lacking = all.filter(({ cells }) => cells.missing > 0)
  const listed = details ? all : lacking.slice(0, shownEach)
  if (listed.length === 0 || (counts.there === 0 && !details)) return []
  const rows = listed.map((each) => [each.task, formatCount(each.cells.there), formatCount(each.cells.missing), formatBytes(each.bytes)])
  const more = details ? 0 : lacking.length - listed.length
  return [
    '',
    ...indented(columns([['task', 'cells there', 'missing', 'on disk'], ...rows], [0])),
    ...(more > 0 ? [`  … and ${formatNumberOf(more, 'more task')} that lack cells; --details lists every task`] : []),
  ]
}

function resultLines({ folder, files, bytes, gone, look }: WorkflowReport['results']): string[] {
  if (files === 0) return ['no results are shown yet']
  const away = gone > 0 ? ` (${formatCount(gone)} more deleted: the next run puts them back)` : ''
  return [`results: ${formatNumberOf(files, 'file')}, ${formatBytes(bytes)}, in ${folder}${away}`, ...look.map((file) => `  ${file}`)]
}

/** What a run did, step by step, and what failed. */
export function runText(report: RunReport, details: boolean, now: number): string {
  const { run, workflow, at, tasks, cells, steps, failures, failedCells, holds } = report
  const rows = steps.map((step) => [
    step.step,
    formatCount(step.made),
    formatCount(step.failed),
    formatCount(step.batches),
    step.tokens > 0 ? formatCount(step.tokens) : '',
    formatBytes(step.bytes),
    formatDuration(step.seconds),
  ])
  const held = holds.reduce((sum, row) => sum + row.cells, 0)
  const most = details ? Number.POSITIVE_INFINITY : shownEach
  return lines([
    `run ${run} of ${workflow}, started ${formatAgo(now - at)} (${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC): ${outcomeText(report)}`,
    ...(report.because === null ? [] : [`  stopped, since ${report.because}`]),
    ...lostWorkerLines(report.lostWorkers),
    `  ${formatCount(tasks.done)} of ${formatNumberOf(tasks.total, 'task')} done${tasks.failed > 0 ? `, ${formatCount(tasks.failed)} failed` : ''}${tasks.blocked > 0 ? `, ${formatCount(tasks.blocked)} blocked` : ''}; ${formatNumberOf(cells.ran, 'cell')} made${cells.reused === null ? '' : `, ${formatCount(cells.reused)} reused`}`,
    `  ${formatNumberOf(report.modelLoads, 'base load')}, ${formatNumberOf(report.adapterSwitches, 'adapter switch', 'adapter switches')}, ${formatBytes(report.bytes)} written`,
    ...(report.lostObjects > 0 ? [`  ${formatNumberOf(report.lostObjects, 'object')} found damaged and made again`] : []),
    ...(rows.length > 0
      ? ['', ...indented(columns([['step', 'cells made', 'failed', 'batches', 'tokens', 'written', 'work'], ...rows], [0]))]
      : []),
    '',
    `the store still holds ${formatNumberOf(held, 'cell')} of it, ${formatBytes(holds.reduce((sum, row) => sum + row.bytes, 0))}`,
    ...report.look.map((file) => `  ${file}`),
    ...remarkLines(report.remarks),
    ...some(failedCells, most, 'more failed cell', ({ task, cell, reason }) => [`cell ${task}:${cell} failed: ${sanitizeLine(reason)}`]),
    ...some(failures, most, 'more failed task', ({ task, message, log }) => [
      `FAILED ${task}`,
      ...sanitizeLines(message)
        .slice(0, shownLines)
        .map((line) => `  ${line}`),
      ...(log ? [`  log: ${log}`] : []),
    ]),
  ])
}

function some<Item>(all: readonly Item[], most: number, noun: string, text: (item: Item) => string[]): string[] {
  const more = all.length - most
  const left = more > 0 ? [`… and ${formatNumberOf(more, noun)}; --details lists all`] : []
  return all.length === 0 ? [] : ['', ...all.slice(0, most).flatMap(text), ...left]
}

const outcomes: Readonly<Record<Outcome, string>> = {
  done: 'done after',
  failed: 'FAILED in part after',
  stopped: 'stopped after',
  interrupted: 'interrupted after',
  running: 'running for',
  killed: 'ended without a word after',
}

function outcomeText({ outcome, seconds }: RunLine): string {
  return `${outcomes[outcome]} ${formatDuration(seconds)}`
}

function cut(name: string): string {
  return name.length > longestName ? `${name.slice(0, longestName - 1)}…` : name
}

function indented(list: readonly string[]): string[] {
  return list.map((line) => `  ${line}`)
}

function lines(all: readonly string[]): string {
  return `${all.map(sanitizeLine).join('\n')}\n`
}
