import { rmSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { PlanReport } from '../../engine/report/plan-report.ts'
import { dag, plan, run } from '../support/dag.ts'
import { variants } from '../support/paths.ts'
import { changeIndex, objectFile, rows, stored } from '../support/stored.ts'
import { finishedWorkspace, type Workspace, workflowFile } from '../support/workspace.ts'

/** A workspace whose last run found everything up to date. */
async function standing(of?: string): Promise<Workspace> {
  const workspace = finishedWorkspace(of)
  // The first run may write results again, which are too new for it to be sure of.
  for (let turn = 0; turn < 2; turn++) expect((await run(workspace)).finished.cells.ran).toBe(0)
  expect(rows(workspace, `SELECT workflow FROM standing WHERE workflow = '${workspace.at(workflowFile)}'`)).toHaveLength(1)
  return workspace
}

/** What the plan says that knows of no run before. */
async function wholePlan(workspace: Workspace): Promise<PlanReport> {
  changeIndex(workspace, 'DELETE FROM standing')
  return plan(workspace)
}

const catsReworded = (workspace: Workspace) => workspace.edit('prompts/one.json', 'Why do cats', 'How do cats')
const rainReworded = (workspace: Workspace) => workspace.edit('prompts/one.json', 'What is rain?', 'What is snow?')

test('where one prompt is worded otherwise, what it makes run is planned alone, and is all that the whole plan says', async () => {
  const workspace = await standing()
  rainReworded(workspace)
  const short = await plan(workspace)
  expect([short.cells, short.reasons.map(({ text }) => text)]).toEqual([
    { total: 182, run: 34, reuse: 148 },
    ['prompt `one_1` edited: 3 answers, then up to 6 recordings, 12 projections, 2 rankings, 1 overview, 3 report parts, 1 report'],
  ])
  expect(await wholePlan(workspace)).toEqual(short)
})

test('what is made of all prompts at once is planned with all of them', async () => {
  const workspace = finishedWorkspace()
  workspace.write(
    workflowFile,
    `${workspace.read(workflowFile)}  moved: { kind: shift, of: [answers, clean] }\n  alike: { kind: compare, of: [vectors, moved] }\n`,
  )
  for (const ran of [7, 0]) expect((await run(workspace)).finished.cells.ran).toBe(ran)
  rainReworded(workspace)
  const short = await plan(workspace)
  expect([short.cells, short.reasons.map(({ text }) => text)]).toEqual([
    { total: 189, run: 34 + 7, reuse: 148 },
    [
      'prompt `one_1` edited: 3 answers, then up to 6 recordings, 12 projections, 6 vectors, 2 rankings, 1 overview, 1 comparison, 3 report parts, 1 report',
    ],
  ])
  expect(await wholePlan(workspace)).toEqual(short)
})

test('the plan after a run is the whole plan: a prompt of one set, where shifts are of the other', async () => {
  const workspace = finishedWorkspace()
  workspace.write(
    workflowFile,
    `${workspace.read(workflowFile)}  moved: { kind: shift, of: [answers, clean], prompts: [two] }\n  words: { kind: logit_lens, model: tiny, of: moved }\n`,
  )
  for (const ran of [19, 0]) expect((await run(workspace)).finished.cells.ran).toBe(ran)
  rainReworded(workspace)
  const planned = await plan(workspace)
  expect(planned.cells).toEqual({ total: 182 + 19, run: 34, reuse: 148 + 19 })
  expect(await wholePlan(workspace)).toEqual(planned)
})

test.each<[string, (workspace: Workspace) => unknown]>([
  ['nothing changed', () => {}],
  ['a prompt of each set', (workspace) => [rainReworded(workspace), workspace.edit('prompts/two.json', 'Who are you?', 'What are you?')]],
  ['two prompts of one set', (workspace) => [rainReworded(workspace), catsReworded(workspace)]],
  [
    'a prompt and its note',
    (workspace) => [rainReworded(workspace), workspace.edit('prompts/one.json', '"note": "test"', '"note": "other"')],
  ],
  [
    'a prompt and an organism',
    (workspace) => [rainReworded(workspace), workspace.edit('organisms/list.yaml', 'organisms/beta', 'organisms/delta')],
  ],
  ['a prompt and a trait', (workspace) => [rainReworded(workspace), workspace.edit('traits/kind.json', 'How lovely', 'How nice')]],
  [
    'a prompt as it was once',
    async (workspace) => {
      rainReworded(workspace)
      await run(workspace)
      workspace.edit('prompts/one.json', 'What is snow?', 'What is rain?')
    },
  ],
])('the plan after a run is the whole plan: %s', async (_, edit) => {
  const workspace = await standing()
  await edit(workspace)
  const planned = await plan(workspace)
  expect(await wholePlan(workspace)).toEqual(planned)
})

test('the plan after a run is the whole plan: a prompt that every kind of step reads', async () => {
  const workspace = await standing(variants)
  rainReworded(workspace)
  const planned = await plan(workspace)
  expect(planned.cells.run).toBeGreaterThan(0)
  expect(await wholePlan(workspace)).toEqual(planned)
})

test.each([
  ['by several amounts', 'by: [-9, 9]', rainReworded, { run: 2, total: 8 }],
  ['of some prompts, the first of them', 'by: [9], limit: 1', rainReworded, { run: 1, total: 1 }],
  ['of some prompts, one beyond them', 'by: [9], limit: 1', catsReworded, { run: 0, total: 1 }],
] as const)('the plan after a run is the whole plan: steering %s', async (_, params, edit, answers) => {
  const workspace = finishedWorkspace()
  workspace.write(
    workflowFile,
    `${workspace.read(workflowFile)}  noise: { kind: random, model: tiny, layers: [2], count: 1 }
  steering: { kind: steer, model: tiny, along: noise, ${params}, prompts: [one], max_new_tokens: 4 }
`,
  )
  await run(workspace)
  expect((await run(workspace)).finished.cells.ran).toBe(0)
  edit(workspace)
  const planned = await plan(workspace)
  expect(planned.counts['steered answers']).toMatchObject(answers)
  expect(await wholePlan(workspace)).toEqual(planned)
})

test('the plan after a run is the whole plan: tables and reports, whose bytes are those of whole sets', async () => {
  const workspace = finishedWorkspace()
  workspace.edit(workflowFile, '  report:', '  tables: { kind: export, of: scores, tokens: true }\n  report:')
  for (const ran of [12, 0, 0]) expect((await run(workspace)).finished.cells.ran).toBe(ran)
  rainReworded(workspace)
  const planned = await plan(workspace)
  expect(planned.counts.tables).toMatchObject({ run: 6, total: 12 })
  expect(await wholePlan(workspace)).toEqual(planned)
})

test('the plan after a run is the whole plan: a prompt with several answers, which fall into batches with those of others', async () => {
  const workspace = finishedWorkspace()
  workspace.edit(workflowFile, 'max_new_tokens: 6', 'max_new_tokens: 6\n    temperature: 1\n    samples: 3\n    commit_size: 4')
  for (let turn = 0; turn < 3; turn++) await run(workspace)
  workspace.edit('prompts/one.json', 'Name a colour', 'Name a sound')
  const planned = await plan(workspace)
  expect(planned.counts.answers).toMatchObject({ run: 9, total: 54 })
  expect(await wholePlan(workspace)).toEqual(planned)
})

test('of what the edited prompt does not touch, nothing is looked up', async () => {
  const workspace = await standing()
  rainReworded(workspace)
  const before = await plan(workspace)
  changeIndex(
    workspace,
    `DELETE FROM cells WHERE unit IN (SELECT id FROM units WHERE task LIKE 'answers/%/two');
    DELETE FROM done WHERE NOT EXISTS (
      SELECT * FROM json_each(objects) JOIN cells ON slot ->> '$.object' = value JOIN units ON units.id = unit WHERE operation = 'extract')`,
  )
  expect([await plan(workspace), (await wholePlan(workspace)).cells.run > before.cells.run]).toEqual([before, true])
})

test('what waits behind a task that is known as done, of which an input is lost, is told with what is lost', async () => {
  const workspace = finishedWorkspace()
  rmSync(objectFile(workspace, stored(workspace, 'scores/alpha/one/clean', 'one_1@2:kind:mean_diff')))
  changeIndex(workspace, "DELETE FROM done WHERE view LIKE '%matrix.json%'")
  const { reasons } = await plan(workspace)
  expect(reasons.map(({ text }) => text)).toEqual(['object lost: 8 projections, then up to 1 overview'])
  const why = await dag(workspace.folder, ['why', workflowFile, 'ranking/overview'])
  expect(why.stdout).toContain('scores/alpha/one/clean')
})
