import type { Cause } from '../lineage/causes.ts'
import type { ReasonGroup } from '../lineage/reasons.ts'
import type { Forecast } from '../plan/forecast.ts'
import { modelsToLoad, weightBytes } from '../plan/memory.ts'
import { batchCost, type Plan, type PlannedTask } from '../plan/plan.ts'
import { peopleCount, totalsOf } from '../plan/totals.ts'
import { formatBytes, formatCount, formatDuration, formatPlural } from './format.ts'
import { placesOf, reasonLine } from './reason-text.ts'

/** What `dag plan --json` prints. */
export interface PlanReport {
  readonly workflow: string
  readonly tasks: { readonly total: number; readonly run: number; readonly reuse: number }
  readonly cells: { readonly total: number; readonly run: number; readonly reuse: number }
  readonly modelLoads: number
  readonly adapterSwitches: number
  /** Loads of a process for each organism, prompt set and phase, as a script would have it. */
  readonly naiveModelLoads: number
  readonly forecast: { readonly seconds: number; readonly secondsAtHalf: number | null; readonly bytes: number; readonly basis: string }
  /** Of the weights of each model that is loaded, one at a time. */
  readonly memory: readonly { readonly model: string; readonly bytes: number }[]
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

export function planReport(workflow: string, plan: Plan, expected: Forecast, reasons: readonly ReasonGroup[]): PlanReport {
  const { seconds, secondsAtHalf, bytes, basis } = expected
  return {
    workflow,
    ...totalsOf(plan, expected),
    naiveModelLoads: naiveLoads(plan.tasks),
    forecast: { seconds: tenths(seconds), secondsAtHalf: secondsAtHalf && tenths(secondsAtHalf), bytes, basis },
    memory: modelsToLoad(plan).map((model) => ({ model: model.name, bytes: weightBytes(model) })),
    stages: stagesOf(plan.tasks, expected),
    counts: countsOf(plan),
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

function countsOf(plan: Plan): Record<string, { total: number; run: number; bytes: number }> {
  const counts: Record<string, { total: number; run: number; bytes: number }> = {}
  for (const planned of plan.tasks) {
    const { noun } = planned.task.operation.counts
    const count = counts[noun] ?? { total: 0, run: 0, bytes: 0 }
    const { total, run } = peopleCount(planned)
    const bytes = planned.batches.reduce((sum, batch) => sum + batchCost(plan, batch).bytes, 0)
    counts[noun] = { total: count.total + total, run: count.run + run, bytes: count.bytes + bytes }
  }
  return counts
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10
}

/** Models are loaded one after another: the largest is the most at once. */
function memoryLines(memory: PlanReport['memory']): string[] {
  const largest = memory.reduce((most, one) => (one.bytes > most.bytes ? one : most), { model: '', bytes: 0 })
  if (largest.bytes === 0) return []
  return [`  memory            ${formatBytes(largest.bytes)} for the weights of ${largest.model}; of what is left, half for tokens`]
}

function timeText({ seconds, secondsAtHalf }: PlanReport['forecast']): string {
  if (secondsAtHalf === null) return formatDuration(seconds)
  return `${formatDuration(seconds)} if every answer is as long as allowed, ${formatDuration(secondsAtHalf)} if half as long`
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
    `  base loads        ${report.modelLoads} (a process for each organism, prompt set and phase: ${formatCount(report.naiveModelLoads)})`,
    `  adapter switches  ${formatCount(report.adapterSwitches)}`,
    `  time              about ${timeText(forecast)} (from ${forecast.basis})`,
    `  disk              ${formatBytes(forecast.bytes)} at most`,
    ...memoryLines(report.memory),
    '',
    'why',
    ...report.reasons.flatMap(reasonLines),
    '',
  ].join('\n')
}
