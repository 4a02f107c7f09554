import { forecast } from '../plan/forecast.ts'
import type { Plan } from '../plan/plan.ts'
import { type PlanReport, planReport } from './plan-report.ts'

/** The report of an edit: what it makes run, of the whole that was up to date before it. */
export function edited(whole: PlanReport, edit: PlanReport): PlanReport {
  const reused = ({ total }: { total: number }, { run }: { run: number }) => ({ total, run, reuse: total - run })
  const stages = new Map(edit.stages.map((stage) => [stage.stage, stage]))
  return {
    ...edit,
    tasks: reused(whole.tasks, edit.tasks),
    cells: reused(whole.cells, edit.cells),
    stages: whole.stages.map(({ stage, tasks, cells, seconds }) => {
      const now = stages.get(stage) ?? { tasks, cells, seconds }
      return { stage, tasks: { ...now.tasks, total: tasks.total }, cells: { ...now.cells, total: cells.total }, seconds: now.seconds }
    }),
    counts: Object.fromEntries(
      Object.entries(whole.counts).map(([noun, count]) => [noun, { ...(edit.counts[noun] ?? count), total: count.total }]),
    ),
  }
}

/** The report of a plan once all of it is done. */
export function doneReport(workflow: string, plan: Plan): PlanReport {
  const done = plan.tasks.map((task) => ({ ...task, toRun: 0, batches: [] }))
  const nothing = { ...plan, tasks: done, byId: new Map(done.map((task) => [task.task.id, task])) }
  return planReport({
    workflow,
    plan: nothing,
    expected: forecast(nothing, { rate: () => null, calibrated: () => ({}) }),
    reasons: [],
    memoryOf: () => 0,
  })
}
