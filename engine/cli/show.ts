import { existsSync, statSync } from 'node:fs'
import path from 'node:path'
import { kinds } from '../../steps/index.ts'
import { prepare } from '../prepare.ts'
import { type CellsReport, cellsReport, cellsText, stagesOf } from '../report/show-cells.ts'
import { type RunLine, type RunReport, runLine, runReport, type StoreReport } from '../report/show-run.ts'
import { runText, storeText, workflowText } from '../report/show-text.ts'
import { type ResultFiles, type WorkflowReport, workflowReport } from '../report/show-workflow.ts'
import type { Plan } from '../plan/plan.ts'
import { remarksOfPlan } from '../run/remarks.ts'
import { shownFiles } from '../run/views.ts'
import { holdings, indexBytes, objectSizes, objectsNoted } from '../store/holdings.ts'
import { lockHolder } from '../store/files/lock.ts'
import { journalledRuns, readEvents, readRunEnds } from '../store/runs/run-journal.ts'
import type { Store } from '../store/store.ts'
import type { CliContext } from './common/context.ts'
import { asGiven } from './common/places.ts'
import { planAloud } from './common/planning.ts'
import { reportProblems } from './common/report-problems.ts'
import { storeHere } from './common/store-here.ts'
import { openStoreAloud, openStoreOf } from './common/workspace.ts'

export interface ShowFlags {
  readonly store?: string
  readonly json: boolean
  readonly details: boolean
  /** The step of a workflow whose cells are listed. */
  readonly cells?: string
  /** How many runs are listed. */
  readonly last: number
}

/** Shows the store, a workflow or a run, by what is named. */
export async function show(this: CliContext, flags: ShowFlags, what?: string): Promise<void> {
  if (what !== undefined && statSync(what, { throwIfNoEntry: false })?.isFile()) return showWorkflow(this, flags, what)
  if (flags.cells !== undefined)
    return reportProblems(this.process, [
      {
        severity: 'error',
        rule: 'cells',
        message: '--cells lists those of a step of a workflow',
        hint: 'name the workflow’s file before it',
      },
    ])
  const root = storeHere(flags.store)
  if (!root.ok) return reportProblems(this.process, root.error)
  const store = openStoreAloud(this.process.stderr, root.value)
  try {
    const runs = journalledRuns(store.layout)
    if (what === undefined) {
      const lineOf = runLines(store)
      const listed = runs.slice(0, flags.last).flatMap((run) => lineOf(run) ?? [])
      const report = storeReport(store, listed)
      return write(this, flags, report, () => storeText(report, Date.now(), (named) => asGiven(named, flags)))
    }
    const found = runs.filter((run) => run.startsWith(what))
    const line = found.length === 1 ? runLines(store)(found[0] as string) : null
    if (!line) return reportProblems(this.process, [unknown(what, found, runs)])
    const report = runReport(line, readEvents(store.layout, line.run), holdings(store, line.run))
    write(this, flags, report, () => runText(report, flags.details, Date.now()))
  } finally {
    store.close()
  }
}

async function showWorkflow(context: CliContext, flags: ShowFlags, file: string): Promise<void> {
  const { store, workspace } = openStoreOf(context.process.stderr, file, flags.store)
  try {
    const prepared = await prepare(file, kinds, store)
    if (!prepared.ok) return reportProblems(context.process, prepared.error)
    const { workflow } = prepared.value
    const { plan } = planAloud(context.process.stderr, prepared.value, store)
    if (flags.cells !== undefined) return showCells(context, flags, workflow.name, plan, flags.cells)
    const folder = path.join(workspace, 'experiments', workflow.experiment)
    const report = workflowReport(plan, {
      workflow: workflow.name,
      file,
      results: resultFiles(store, plan, folder),
      remarks: remarksOfPlan(plan),
      lastRun: lastRunOf(store, workflow.name),
      objectsOf: objectsNoted(store),
      sizes: objectSizes(store),
    })
    write(context, flags, report, () => workflowText(report, flags.details, Date.now(), asGiven(file, flags)))
  } finally {
    store.close()
  }
}

function showCells(context: CliContext, flags: ShowFlags, workflow: string, plan: Plan, step: string): void {
  const report = cellsReport(workflow, plan, step)
  if (report) return write(context, flags, report, () => cellsText(report))
  const message = `"${step}" is not a step of this workflow`
  reportProblems(context.process, [{ severity: 'error', rule: 'cells', message, hint: `its steps: ${stagesOf(plan).join(', ')}` }])
}

type Shown = StoreReport | WorkflowReport | RunReport | CellsReport

function write({ process }: CliContext, { json }: ShowFlags, report: Shown, text: () => string): void {
  process.stdout.write(json ? `${JSON.stringify(report)}\n` : text())
}

function storeReport(store: Store, runs: readonly RunLine[]): StoreReport {
  const sizes = [...objectSizes(store).values()]
  const objects = { count: sizes.length, bytes: sizes.reduce((sum, size) => sum + size, 0) }
  const index = { bytes: indexBytes(store) }
  return { store: path.relative('.', store.layout.root) || '.', runs, operations: holdings(store), objects, index }
}

/** Tells runs in a line each; null for one whose journal has no beginning. */
function runLines(store: Store): (run: string) => RunLine | null {
  const running = lockHolder(store.layout)?.owner?.run
  const made = (run: string) => holdings(store, run).reduce((sum, { cells }) => sum + cells, 0)
  return (run) => {
    const ends = readRunEnds(store.layout, run)
    return ends && runLine(ends.first, ends.last, run === running, () => made(run))
  }
}

function lastRunOf(store: Store, workflow: string): RunLine | null {
  const lineOf = runLines(store)
  for (const run of journalledRuns(store.layout)) {
    const line = lineOf(run)
    if (line?.workflow === workflow) return line
  }
  return null
}

function resultFiles(store: Store, plan: Plan, folder: string): ResultFiles {
  const shownBy = shownFiles(store)
  const files = plan.tasks.flatMap(({ task, deep }) =>
    shownBy(deep).map(({ path: file, name }) => ({ file: path.join(folder, file), first: name === task.operation.headline })),
  )
  const sizes = files.map(({ file }) => statSync(file, { throwIfNoEntry: false })?.size ?? null)
  const there = sizes.filter((size) => size !== null)
  return {
    folder: path.relative('.', folder),
    files: there.length,
    bytes: there.reduce((sum, size) => sum + size, 0),
    gone: sizes.length - there.length,
    look: files.flatMap(({ file, first }) => (first && existsSync(file) ? [path.relative('.', file)] : [])),
  }
}

function unknown(what: string, found: readonly string[], runs: readonly string[]) {
  const message =
    found.length > 1 ? `"${what}" is the beginning of ${found.length} runs` : `"${what}" is neither a workflow file nor a run of this store`
  const known = found.length > 1 ? found : runs
  const listed = known.length > 0 ? `runs: ${known.slice(0, 8).join(', ')}` : 'no run has left a journal here yet'
  return { severity: 'error' as const, rule: 'unknown-run', message, hint: `name a workflow file, or a run by its id; ${listed}` }
}
