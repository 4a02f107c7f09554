import { kinds } from '../../steps/index.ts'
import { suggestion } from '../core/names.ts'
import type { Task } from '../core/step-kind.ts'
import { behindCells } from '../lineage/reasons.ts'
import { rootsOf, tell } from '../lineage/told.ts'
import type { Verdict } from '../lineage/verdict.ts'
import { prepare } from '../prepare.ts'
import { type ToldCell, whyText } from '../report/why-text.ts'
import { explaining } from '../run/explaining.ts'
import { readReasons } from '../store/runs/run-reasons.ts'
import type { CliContext } from './common/context.ts'
import { planAloud } from './common/planning.ts'
import { reportProblems } from './common/report-problems.ts'
import { openStoreOf } from './common/workspace.ts'

export interface WhyFlags {
  readonly store?: string
  readonly json: boolean
  readonly run?: string
}

export async function why(this: CliContext, flags: WhyFlags, file: string, name: string): Promise<void> {
  const { store } = openStoreOf(this.process.stderr, file, flags.store)
  const refuse = (rule: string, message: string, hint: string | undefined) =>
    reportProblems(this.process, [{ severity: 'error', rule, message, ...(hint ? { hint } : {}) }])
  try {
    const prepared = await prepare(file, kinds, store)
    if (!prepared.ok) return reportProblems(this.process, prepared.error)
    const { graph } = prepared.value
    const [id, cell] = splitName(name)
    const task = graph.byId.get(id)
    if (!task) return refuse('unknown-task', `the workflow has no task "${id}"`, suggestion(id, [...graph.byId.keys()]))
    const { plan } = planAloud(this.process.stderr, prepared.value, store)
    const all = plan.settled(id).cells
    const cells = cell === null ? all : all.filter(({ spec }) => spec.id === cell)
    if (cells.length === 0) {
      const known = all.map(({ spec }) => spec.id)
      return refuse('unknown-cell', `task "${id}" has no cell "${cell}"`, suggestion(cell ?? '', known))
    }
    const { history, explain } = explaining(prepared.value, store, plan)
    const last = flags.run === undefined ? history.last : readReasons<Verdict>(store.layout, flags.run)
    if (flags.run !== undefined && !last)
      return refuse(
        'unknown-run',
        `the store has no reasons of a run "${flags.run}"`,
        'they go with the run: see the folder runs/ of the store',
      )
    const behind = behindCells(plan, explain, history, task)
    const told = cells.map((each): ToldCell => {
      const now = explain.cell(task, each)
      const about = tell(last, task, each, now)
      const roots = last && about.tells === 'run' ? rootsOf(last, about.verdict) : []
      return { ...about, behind: now.verdict === 'waits' ? behind(each) : null, roots }
    })
    this.process.stdout.write(flags.json ? `${JSON.stringify(jsonOf(task, told))}\n` : whyText(id, told))
  } finally {
    store.close()
  }
}

function splitName(name: string): [string, string | null] {
  const colon = name.indexOf(':')
  return colon < 0 ? [name, null] : [name.slice(0, colon), name.slice(colon + 1)]
}

function jsonOf(task: Task, told: readonly ToldCell[]) {
  const cells = told.map(({ verdict, behind, ...head }) => ({
    ...head,
    ...verdict,
    ...(behind && { waitsFor: behind.waitsFor, causes: behind.causes }),
  }))
  return { task: task.id, cells }
}
