import path from 'node:path'
import type { StepKind } from '../../engine/core/step-kind.ts'
import { changeText } from '../../engine/lineage/changes.ts'
import { prepare } from '../../engine/prepare.ts'
import type { PlanReport } from '../../engine/report/plan-report.ts'
import { explaining } from '../../engine/run/explaining.ts'
import { planNow } from '../../engine/run/plan-now.ts'
import { openStore } from '../../engine/store/store.ts'
import { dag } from '../support/dag.ts'
import { type Workspace, workflowFile } from '../support/workspace.ts'
import type { Circumstances } from './row.ts'

/** One cell of a plan: whether it is made anew, and why. */
export interface PlannedCell {
  /** `task:cell`, as `dag why` names it. */
  readonly name: string
  readonly stage: string
  /** Null when it is up to date; `waits` when its inputs are made again; else what `dag why` says. */
  readonly reason: string | null
}

/** Plans the workflow in this process and says of every cell what happens to it. */
export async function planCells(workspace: Workspace, kinds: readonly StepKind[]): Promise<readonly PlannedCell[]> {
  const store = openStore(workspace.at('cache'))
  try {
    const prepared = await prepare(workspace.at(workflowFile), kinds, store)
    if (!prepared.ok) throw new Error(prepared.error.map((problem) => problem.message).join('\n'))
    const { plan } = planNow(prepared.value, store)
    const { explain } = explaining(prepared.value, store, plan)
    return plan.tasks.flatMap(({ task, toRun }) => {
      const { cells } = plan.settled(task.id)
      const missing = cells.filter((cell) => cell.output === null).length
      if (missing !== toRun) throw new Error(`${task.id}: its deep key says that ${toRun} cells run, its cells that ${missing} do`)
      return cells.map((cell): PlannedCell => {
        const verdict = explain.cell(task, cell)
        const reason =
          verdict.verdict === 'served'
            ? null
            : verdict.verdict === 'changed'
              ? verdict.changes.map((change) => withoutValues(changeText(change))).join('; ')
              : verdict.verdict
        return { name: `${task.id}:${cell.spec.id}`, stage: task.stage, reason }
      })
    })
  } finally {
    store.close()
  }
}

/** Digests and measured numbers differ between machines. */
function withoutValues(text: string): string {
  return text.replaceAll(/\b[0-9a-f]{12}\b/g, 'digest').replaceAll(/-?\d+\.\d{3,}(e-?\d+)?/g, 'number')
}

/** Plans with the real program in other circumstances and counts. */
export async function planProgram(
  workspace: Workspace,
  { before = [], env = {}, cwd = workspace.folder }: Exclude<NonNullable<Circumstances['program']>, { skip: string }>,
): Promise<{ total: number; run: number }> {
  const result = await dag(cwd, ['plan', '--json', path.relative(cwd, workspace.at(workflowFile))], env, before)
  if (result.code !== 0) throw new Error(result.stderr)
  const { total, run } = (JSON.parse(result.stdout) as PlanReport).cells
  return { total, run }
}
