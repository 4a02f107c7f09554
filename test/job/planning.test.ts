import { expect, test } from 'vitest'
import type { PlanProgress } from '../../engine/plan/plan.ts'
import { prepare } from '../../engine/prepare.ts'
import { planNow } from '../../engine/run/plan-now.ts'
import { openStore } from '../../engine/store/store.ts'
import { kinds } from '../../steps/index.ts'
import { finishedWorkspace, freshWorkspace, type Workspace, workflowFile } from '../support/workspace.ts'

/** What is told while the workflow is planned, and what is planned then. */
async function planned(workspace: Workspace): Promise<{ told: PlanProgress[]; tasks: number; cells: number }> {
  const store = openStore(workspace.at('cache'))
  try {
    const prepared = await prepare(workspace.at(workflowFile), kinds, store)
    if (!prepared.ok) throw new Error('the workflow is wrong')
    const told: PlanProgress[] = []
    const { plan } = planNow(prepared.value, store, { onProgress: (soFar) => told.push(soFar) })
    return { told, tasks: plan.tasks.length, cells: plan.tasks.reduce((sum, task) => sum + task.cells, 0) }
  } finally {
    store.close()
  }
}

test('planning tells of every task whose cells it has looked up, one after another', async () => {
  const { told, tasks, cells } = await planned(freshWorkspace())
  expect(told.map((soFar) => [soFar.tasks, soFar.of])).toEqual(Array.from({ length: tasks }, (_, index) => [index, tasks]))
  expect(told.at(-1)?.cells).toBe(cells)
})

test('of what is known as done it looks nothing up', async () => {
  expect((await planned(finishedWorkspace())).told).toEqual([])
})
