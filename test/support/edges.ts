import type { Inputs, ParentTask } from '../../engine/core/step-kind.ts'
import type { Plan } from '../../engine/plan/plan.ts'
import { prepare } from '../../engine/prepare.ts'
import { planNow } from '../../engine/run/plan-now.ts'
import { openStore } from '../../engine/store/store.ts'
import { kinds } from '../../steps/index.ts'
import { dag } from './dag.ts'
import { type Workspace, workflowFile } from './workspace.ts'

/** Keeps what a task's cells are computed from, with other bytes in one of its parents. */
function withOtherOutputs(inputs: Inputs, parent: string): Inputs {
  const other = (task: ParentTask): ParentTask => {
    const cells = task.cells.map((cell) => ({ ...cell, output: cell.output && { ...cell.output, digest: 'f'.repeat(64) } }))
    return { task: task.task, cells, cell: (id) => cells.find((cell) => cell.spec.id === id) }
  }
  return { of: (role) => inputs.of(role).map((task) => (task.task.id === parent ? other(task) : task)) }
}

/** Edges of a finished workflow, and those of them that carry nothing: another output of the parent leaves every key of the child. */
export async function edgesOf(workspace: Workspace): Promise<{ edges: number; empty: string[] }> {
  const store = openStore(workspace.at('cache'))
  try {
    const prepared = await prepare(workspace.at(workflowFile), kinds, store)
    if (!prepared.ok) throw new Error('the workflow is wrong')
    const planned: Plan = planNow(prepared.value, store).plan
    const edges = planned.tasks.flatMap(({ task }) => task.parents.map((parent) => ({ task, parent: parent.task })))
    const keys = (task: (typeof edges)[number]['task'], inputs: Inputs) =>
      JSON.stringify(task.operation.cells(task, inputs).map((cell) => cell.own))
    const empty = edges.filter(({ task, parent }) => {
      const inputs = planned.inputs(task)
      return keys(task, inputs) === keys(task, withOtherOutputs(inputs, parent))
    })
    return { edges: edges.length, empty: empty.map(({ task, parent }) => `${parent} → ${task.id}`) }
  } finally {
    store.close()
  }
}

/** What `dag check` says when a step is told to wait for another. */
export async function orderingRefused(workspace: Workspace, step: string, other: string): Promise<string[]> {
  const text = workspace.read(workflowFile)
  const messages: string[] = []
  for (const key of ['after', 'needs', 'depends_on']) {
    workspace.write(workflowFile, text.replace(`  ${step}: { `, `  ${step}: { ${key}: [${other}], `))
    const { code, stderr } = await dag(workspace.folder, ['check', workflowFile])
    messages.push(`${code} ${/error: (.*)/.exec(stderr)?.[1]}`)
  }
  workspace.write(workflowFile, text)
  return messages
}
