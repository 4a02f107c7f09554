import { expect, test } from 'vitest'
import { dag } from '../support/dag.ts'
import { contrastSet, finishedWorkspace, freshWorkspace, type Workspace, workflowFile } from '../support/workspace.ts'

const never = (workspace: Workspace) => workspace.edit(workflowFile, '{ layers: [1, 2] }', '{ layers: [1, 2], raw: never }')

test('with raw: never the scores are those of stored recordings, bit for bit: rankings know them by digest and none is made anew', async () => {
  const workspace = finishedWorkspace()
  never(workspace)
  const { code, stdout } = await dag(workspace.folder, ['run', '--ui', 'json', workflowFile])
  expect([code, cellsOf(stdout)]).toEqual([0, { ran: 72, reused: 38, failed: 0 }])
})

test('with raw: never nothing is recorded; a new trait costs a pass through the model, and the plan says so before', async () => {
  const workspace = freshWorkspace()
  never(workspace)
  expect((await dag(workspace.folder, ['run', workflowFile])).code).toBe(0)
  const planned = async () => JSON.parse((await dag(workspace.folder, ['plan', '--json', workflowFile])).stdout)
  expect((await planned()).cells).toEqual({ total: 110, run: 0, reuse: 110 })
  workspace.write('traits/dull.json', contrastSet('dull', 'How tedious a question,', 'The answer is this:'))
  const { modelLoads, adapterSwitches, cells } = await planned()
  expect({ modelLoads, adapterSwitches, cells }).toEqual({ modelLoads: 1, adapterSwitches: 3, cells: { total: 152, run: 50, reuse: 102 } })
  const { stdout } = await dag(workspace.folder, ['run', '--ui', 'json', workflowFile])
  expect(cellsOf(stdout)).toEqual({ ran: 50, reused: 102, failed: 0 })
})

function cellsOf(events: string): unknown {
  return JSON.parse(events.trimEnd().split('\n').at(-1) as string).cells
}
