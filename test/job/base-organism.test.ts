import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { dag, plan, run } from '../support/dag.ts'
import { answersOf } from '../support/stored.ts'
import { finishedWorkspace, organismList, workflowFile, type Workspace } from '../support/workspace.ts'

/** A finished workspace whose list of organisms then names the base itself, too. */
function withBase(): Workspace {
  const workspace = finishedWorkspace()
  workspace.write('organisms/list.yaml', `${organismList(['alpha', 'beta', 'gamma'])}  itself: { adapter: none }\n`)
  return workspace
}

test('the base itself answers as an organism without an adapter; what it reads of its own answers is read once', async () => {
  const workspace = withBase()
  const report = await plan(workspace)
  expect([report.modelLoads, report.adapterSwitches]).toEqual([1, 0])
  const { finished } = await run(workspace)
  expect([finished.outcome, finished.adapterSwitches]).toEqual(['done', 0])
  // The 12 recordings and 12 scores of its own reading are those of the clean model's, too; then 4 rankings, the overview, and
  // the report with 2 parts of it.
  expect(finished.cells).toEqual({ ran: 6 + 12 + 12 + 4 + 1 + 3, reused: 200, failed: 0 })
  const answers = ['one', 'two'].map((set) => answersOf(workspace, `answers/itself/${set}`).length)
  expect(answers).toEqual([4, 2])
  const own = JSON.parse(workspace.read('experiments/audit/analysis/top_activating/behaviour/kind/one/by_organism/itself.json'))
  expect(own.mode).toBe('diff')
  expect(new Set(own.top.map(({ response_mean: mean }: { response_mean: number }) => mean))).toEqual(new Set([0]))
})

test('an exported experiment has the base itself as a variant without a lora, and what it reads as the clean model beside it', async () => {
  const workspace = withBase()
  await run(workspace)
  const folder = workspace.at('theirs-again')
  const { code } = await dag(workspace.folder, ['export', 'trait-interp', workflowFile, '--to', folder, '--recordings'])
  expect(code).toBe(0)
  expect(JSON.parse(readFileSync(`${folder}/config.json`, 'utf8')).model_variants.itself).toEqual({ model: '../models/model' })
  const [own, clean] = ['itself/raw/residual/two/two_1.pt', 'instruct/raw/residual/two_replay_itself/two_1.pt'].map((file) =>
    readFileSync(`${folder}/inference/${file}`),
  ) as [Buffer, Buffer]
  expect(own.equals(clean)).toBe(true)
  expect(existsSync(`${folder}/inference/itself/responses/two/two_1.json`)).toBe(true)
})
