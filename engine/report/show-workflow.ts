import type { Digest } from '../core/digest.ts'
import type { Remark } from '../core/events.ts'
import type { Plan, PlannedTask } from '../plan/plan.ts'
import { peopleCount } from '../plan/totals.ts'
import type { RunLine } from './show-run.ts'

/** What `dag show WORKFLOW --json` prints: what of a workflow is there, and where its results are. */
export interface WorkflowReport {
  readonly workflow: string
  readonly file: string
  readonly tasks: { readonly total: number; readonly done: number }
  readonly cells: CellCounts
  /** On disk, each object counted once. */
  readonly bytes: number
  /** What people count: answers, recordings, projections. */
  readonly artifacts: readonly Artifacts[]
  readonly steps: readonly StepReport[]
  readonly results: ResultFiles
  /** What people should know of what is there. */
  readonly remarks: readonly Remark[]
  /** Its latest run that had something to do. */
  readonly lastRun: RunLine | null
}

export interface CellCounts {
  readonly total: number
  readonly there: number
  readonly missing: number
  /** Of those missing: made before, but their object is gone or damaged. */
  readonly lost: number
}

export interface Artifacts {
  readonly what: string
  readonly total: number
  readonly there: number
  readonly missing: number
  readonly bytes: number
}

export interface StepReport {
  readonly step: string
  readonly artifacts: readonly Artifacts[]
  readonly bytes: number
  readonly cells: CellCounts
  readonly tasks: readonly TaskReport[]
}

export interface TaskReport {
  readonly task: string
  readonly cells: CellCounts
  readonly bytes: number
}

/** Files of the experiment's folder that show what is done. */
export interface ResultFiles {
  readonly folder: string
  readonly files: number
  readonly bytes: number
  /** Files that a person deleted; the next run puts them back. */
  readonly gone: number
  /** Those to look at first. */
  readonly look: readonly string[]
}

/** What the report takes from outside the plan. */
export interface WorkflowFacts extends Pick<WorkflowReport, 'workflow' | 'file' | 'results' | 'remarks' | 'lastRun'> {
  /** Objects of a task that is known as done, so that no cell of it is looked up. */
  objectsOf(deep: Digest): readonly Digest[] | null
  readonly sizes: ReadonlyMap<Digest, number>
}

export function workflowReport(plan: Plan, facts: WorkflowFacts): WorkflowReport {
  const { workflow, file, results, remarks, lastRun, objectsOf, sizes } = facts
  const bytesOf = (objects: Iterable<Digest>) => [...new Set(objects)].reduce((sum, object) => sum + (sizes.get(object) ?? 0), 0)
  const tasks = plan.tasks.map((planned) => {
    const { task, cells: total, toRun: missing, deep } = planned
    const noted = missing === 0 ? objectsOf(deep) : null
    const settled = noted ? [] : plan.settled(task.id).cells
    const objects = noted ?? settled.flatMap(({ output }) => (output ? [output.slot.object] : []))
    const lost = settled.filter((cell) => cell.lost).length
    const cells = { total, there: total - missing, missing, lost }
    return { planned, objects, report: { task: task.id, cells, bytes: bytesOf(objects) } }
  })
  type Counted = (typeof tasks)[number]
  const together = (those: readonly Counted[], of: (planned: PlannedTask) => number) =>
    those.reduce((sum, { planned }) => sum + of(planned), 0)
  const artifacts = (those: readonly Counted[]): Artifacts[] => {
    const kinds = Map.groupBy(those, ({ planned }) => planned.task.operation.counts.noun)
    return [...kinds].map(([what, of]) => {
      const total = together(of, (planned) => peopleCount(planned).total)
      const missing = together(of, (planned) => peopleCount(planned).run)
      return { what, total, there: total - missing, missing, bytes: bytesOf(of.flatMap(({ objects }) => objects)) }
    })
  }
  const steps = Map.groupBy(tasks, ({ planned }) => planned.task.stage)
  return {
    workflow,
    file,
    tasks: { total: tasks.length, done: tasks.filter(({ planned }) => planned.toRun === 0).length },
    cells: sumOf(tasks.map(({ report }) => report.cells)),
    bytes: bytesOf(tasks.flatMap(({ objects }) => objects)),
    artifacts: artifacts(tasks),
    steps: [...steps].map(([step, those]) => ({
      step,
      artifacts: artifacts(those),
      bytes: bytesOf(those.flatMap(({ objects }) => objects)),
      cells: sumOf(those.map(({ report }) => report.cells)),
      tasks: those.map(({ report }) => report),
    })),
    results,
    remarks,
    lastRun,
  }
}

function sumOf(counts: readonly CellCounts[]): CellCounts {
  const sum = (of: (count: CellCounts) => number) => counts.reduce((total, count) => total + of(count), 0)
  return {
    total: sum(({ total }) => total),
    there: sum(({ there }) => there),
    missing: sum(({ missing }) => missing),
    lost: sum(({ lost }) => lost),
  }
}
