import type { Cause } from '../lineage/causes.ts'
import type { ReasonGroup } from '../lineage/reasons.ts'
import type { ModelSource } from '../core/sources.ts'
import type { Forecast } from '../plan/forecast.ts'
import type { Plan, PlannedTask } from '../plan/plan.ts'
import { peopleCount, totalsOf } from '../plan/totals.ts'
import {
  diskLines,
  type ForecastReport,
  forecastLines,
  forecastReport,
  type MemoryReport,
  memoryReport,
  policyLines,
  type PolicyReport,
  policyReport,
  tenths,
} from './forecast-report.ts'
import { formatBytes, formatCount, formatDuration, formatPlural } from '../core/format.ts'
import { placesOf, reasonLine } from './reason-text.ts'

/** What `dag plan --json` prints. */
export interface PlanReport {
  readonly workflow: string
  readonly tasks: { readonly total: number; readonly run: number; readonly reuse: number }
  readonly cells: { readonly total: number; readonly run: number; readonly reuse: number }
  readonly modelLoads: number
  readonly adapterSwitches: number
  /** Where models are loaded; of several on one, the second is `cpu 2`. */
  readonly devices: readonly string[]
  /** Loads of a process for each organism, prompt set and phase, as a script would have it. */
  readonly naiveModelLoads: number
  readonly forecast: ForecastReport
  /** Of each model that is loaded, one at a time. */
  readonly memory: readonly MemoryReport[]
  /** Empty where they were not played. */
  readonly policies: readonly PolicyReport[]
  readonly stages: readonly StageReport[]
  /** What people count: answers, recordings, projections. `bytes` is of what must still be made. */
  readonly counts: Readonly<Record<string, { readonly total: number; readonly run: number; readonly bytes: number }>>
  readonly reasons: readonly Reason[]
}

interface StageReport {
  readonly stage: string
  readonly tasks: { readonly total: number; readonly run: number }
  readonly cells: { readonly total: number; readonly run: number }
  /** Forecast of its batches; stages run side by side. */
  readonly seconds: number
}

/** Cells that run for one reason. A cell with several is counted under the one that makes the most cells run. */
interface Reason {
  readonly text: string
  readonly type: Cause['type']
  readonly subject: string
  readonly of: string | null
  /** Everything of the kind that happened. */
  readonly what: readonly Pick<Cause, 'name' | 'old' | 'new' | 'place'>[]
  readonly tasks: number
  readonly cells: number
  /** `sure` runs; `may` runs if an input comes out differently. */
  readonly counts: ReasonGroup['counts']
}

export interface Planned {
  readonly workflow: string
  readonly plan: Plan
  readonly expected: Forecast
  readonly reasons: readonly ReasonGroup[]
  /** Bytes of memory of the device that a model is loaded on. */
  memoryOf(model: ModelSource): number
  readonly policies?: readonly { readonly name: string; readonly asWritten: boolean; readonly expected: Forecast }[]
}

export function planReport({ workflow, plan, expected, reasons, memoryOf, policies = [] }: Planned): PlanReport {
  return {
    workflow,
    ...totalsOf(plan, expected),
    devices: expected.devices,
    naiveModelLoads: naiveLoads(plan.tasks),
    forecast: forecastReport(expected),
    memory: memoryReport(expected, memoryOf),
    policies: policies.map((policy) => policyReport(policy.name, policy.asWritten, policy.expected)),
    stages: stagesOf(plan.tasks, expected),
    counts: countsOf(plan, expected),
    reasons: reasons.map(reasonOf),
  }
}

function naiveLoads(tasks: readonly PlannedTask[]): number {
  const processes = tasks.flatMap(({ task, toRun }) => {
    const { organism, promptSet } = task.coordinate
    return task.state && organism && toRun > 0 ? [`${task.step}/${organism}/${promptSet}`] : []
  })
  return new Set(processes).size
}

function stagesOf(tasks: readonly PlannedTask[], { secondsOfStage }: Forecast): StageReport[] {
  const stages = new Map<string, { total: number; run: number; cells: number; toRun: number }>()
  for (const { task, cells, toRun } of tasks) {
    const stage = stages.get(task.stage) ?? { total: 0, run: 0, cells: 0, toRun: 0 }
    stages.set(task.stage, {
      total: stage.total + 1,
      run: stage.run + Number(toRun > 0),
      cells: stage.cells + cells,
      toRun: stage.toRun + toRun,
    })
  }
  return [...stages].map(([stage, { total, run, cells, toRun }]) => {
    const seconds = tenths(secondsOfStage.get(stage) ?? 0)
    return { stage, tasks: { total, run }, cells: { total: cells, run: toRun }, seconds }
  })
}

function countsOf(plan: Plan, { bytesOf }: Forecast): Record<string, { total: number; run: number; bytes: number }> {
  const counts: Record<string, { total: number; run: number; bytes: number }> = {}
  for (const planned of plan.tasks) {
    const { noun } = planned.task.operation.counts
    const count = counts[noun] ?? { total: 0, run: 0, bytes: bytesOf.get(noun) ?? 0 }
    const { total, run } = peopleCount(planned)
    counts[noun] = { ...count, total: count.total + total, run: count.run + run }
  }
  return counts
}

function reasonOf(group: ReasonGroup): Reason {
  const { type, subject, of, causes, tasks, cells, counts } = group
  const what = causes.map(({ name, old, new: now, place }) => ({ name, ...(old === undefined ? {} : { old, new: now ?? null }), place }))
  return { text: reasonLine(group), type, subject, of, what, tasks, cells, counts }
}

/** Places that are shown under a reason. */
const shownPlaces = 3

function reasonLines({ text, what }: Reason): string[] {
  const places = placesOf(what)
  const more = places.length > shownPlaces ? ` and ${formatCount(places.length - shownPlaces)} more` : ''
  return [`  ${text}`, ...(places.length > 0 ? [`      ${places.slice(0, shownPlaces).join(', ')}${more}`] : [])]
}

/** The plan for reading. */
export function planText(report: PlanReport): string {
  const { tasks, cells, forecast } = report
  if (tasks.run === 0)
    return `${report.workflow}: nothing to do; all ${formatCount(tasks.total)} tasks (${formatCount(cells.total)} cells) are up to date\n`
  const width = Math.max(...report.stages.map(({ stage }) => stage.length), 5)
  const stage = (name: string, run: string, total: string, reused: string, time: string) =>
    `  ${name.padEnd(width)}  ${run.padStart(12)}  ${total.padStart(12)}  ${reused.padStart(12)}  ${time.padStart(12)}`
  const made = Object.entries(report.counts).filter(([, count]) => count.run > 0)
  return [
    `${report.workflow}: ${formatCount(tasks.run)} of ${formatCount(tasks.total)} tasks run, ${formatCount(cells.run)} of ${formatCount(cells.total)} cells`,
    '',
    stage('stage', 'cells to run', 'of', 'tasks to run', 'time about'),
    ...report.stages.map((each) =>
      stage(
        each.stage,
        formatCount(each.cells.run),
        formatCount(each.cells.total),
        `${formatCount(each.tasks.run)} of ${formatCount(each.tasks.total)}`,
        each.tasks.run > 0 ? formatDuration(each.seconds) : '',
      ),
    ),
    '',
    ...made.map(([noun, count]) => `  ${formatPlural(count.run, noun)}${count.bytes > 0 ? `, ${formatBytes(count.bytes)}` : ''}`),
    '',
    `  base loads        ${report.modelLoads}${onDevices(report.devices.length)} (a process for each organism, prompt set and phase: ${formatCount(report.naiveModelLoads)})`,
    `  adapter switches  ${formatCount(report.adapterSwitches)}`,
    ...forecastLines(forecast, report.memory),
    ...section(diskLines(forecast)),
    ...section(policyLines(report.policies)),
    '',
    'why',
    ...report.reasons.flatMap(reasonLines),
    '',
  ].join('\n')
}

function section(lines: readonly string[]): string[] {
  return lines.length > 0 ? ['', ...lines] : []
}

function onDevices(count: number): string {
  return count > 1 ? ` on ${count} devices` : ''
}
