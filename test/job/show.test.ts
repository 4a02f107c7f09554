import { chmodSync, globSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { RunReport, StoreReport } from '../../engine/report/show-run.ts'
import type { CellReport, CellsReport } from '../../engine/report/show-cells.ts'
import type { WorkflowReport } from '../../engine/report/show-workflow.ts'
import { dag, run } from '../support/dag.ts'
import { objectFile, objectOf } from '../support/stored.ts'
import { finishedWorkspace, freshWorkspace, type Workspace, workflowFile } from '../support/workspace.ts'

async function shown<Report>(workspace: Workspace, ...args: string[]): Promise<Report> {
  const { stdout, stderr } = await dag(workspace.folder, ['show', '--json', ...args], { DAG_PYTHON: '/nowhere' })
  expect(stderr).toBe('')
  return JSON.parse(stdout) as Report
}

const amounts = ({ artifacts }: WorkflowReport) => artifacts.map(({ what, there, total }) => `${there} of ${total} ${what}`)

const objectsOf = (workspace: Workspace) => globSync(workspace.at('cache/objects/*/*'))

function bytesOf(files: readonly string[]): number {
  return files.reduce((sum, file) => sum + statSync(file).size, 0)
}

test('a finished workflow shows every answer and recording, the bytes on disk, and where the results are', async () => {
  const workspace = finishedWorkspace()
  await run(workspace)
  const report = await shown<WorkflowReport>(workspace, workflowFile)
  expect(amounts(report)).toEqual([
    '8 of 8 vectors',
    '18 of 18 answers',
    '36 of 36 recordings',
    '72 of 72 projections',
    '4 of 4 rankings',
    '1 of 1 overviews',
    '6 of 6 report parts',
    '1 of 1 reports',
  ])
  expect(report.steps.map(({ step, tasks, cells }) => [step, tasks.length, cells.there, cells.missing])).toEqual([
    ['vectors', 2, 8, 0],
    ['answers', 6, 18, 0],
    ['answers.capture', 6, 36, 0],
    ['clean', 6, 36, 0],
    ['scores', 12, 72, 0],
    ['ranking', 3, 5, 0],
    ['report.answers', 6, 6, 0],
    ['report', 1, 1, 0],
  ])
  expect(report.bytes).toBe(bytesOf(objectsOf(workspace)))
  expect(report.artifacts.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(report.bytes)
  expect(report.results).toMatchObject({
    folder: 'experiments/audit',
    gone: 0,
    look: ['experiments/audit/analysis/top_activating/summary.md', 'experiments/audit/reports/report/report.html'],
  })
  rmSync(workspace.at('experiments/audit/reports'), { recursive: true })
  expect((await shown<WorkflowReport>(workspace, workflowFile)).results).toMatchObject({
    gone:
      report.results.files -
      readdirSync(workspace.at('experiments/audit'), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).length +
      1,
    look: ['experiments/audit/analysis/top_activating/summary.md'],
  })
})

test('showing opens no object: what their bytes are makes no difference', async () => {
  const workspace = finishedWorkspace()
  const [store, workflow] = [await shown<StoreReport>(workspace), await shown<WorkflowReport>(workspace, workflowFile)]
  for (const file of objectsOf(workspace)) {
    const { size } = statSync(file)
    chmodSync(file, 0o644)
    truncateSync(file, 0)
    truncateSync(file, size)
  }
  expect([await shown<StoreReport>(workspace), await shown<WorkflowReport>(workspace, workflowFile)]).toEqual([store, workflow])
})

test('what an edit makes missing and what was lost are told apart', async () => {
  const workspace = finishedWorkspace()
  workspace.edit('prompts/two.json', 'Who are you?', 'Who are you really?')
  const edited = await shown<WorkflowReport>(workspace, workflowFile)
  expect(amounts(edited).slice(1, 4)).toEqual(['15 of 18 answers', '30 of 36 recordings', '60 of 72 projections'])
  expect([edited.cells.lost, edited.tasks]).toEqual([0, { total: 42, done: 21 }])
  workspace.edit('prompts/two.json', 'Who are you really?', 'Who are you?')
  rmSync(objectFile(workspace, objectOf(workspace, 'answers.capture/alpha/one')))
  const lost = await shown<WorkflowReport>(workspace, workflowFile)
  expect(amounts(lost).slice(1, 4)).toEqual(['18 of 18 answers', '34 of 36 recordings', '72 of 72 projections'])
  const task = lost.steps.flatMap(({ tasks }) => tasks).find((each) => each.task === 'answers.capture/alpha/one')
  expect(task?.cells).toEqual({ total: 8, there: 4, missing: 4, lost: 4 })
})

test('the store lists its last runs and what it holds by operation; a run that was killed is told from one that ended', async () => {
  const workspace = finishedWorkspace()
  const [first] = (await shown<StoreReport>(workspace)).runs
  expect(first).toMatchObject({ workflow: 'audit', outcome: 'done', cells: { ran: 182, reused: 0, failed: 0 } })
  const journal = workspace.at('cache/runs', first?.run as string, 'journal.ndjson')
  const lines = workspace.read(`cache/runs/${first?.run}/journal.ndjson`).trimEnd().split('\n')
  writeFileSync(journal, `${lines.slice(0, -1).join('\n')}\n{"at":1,"type":"run-fin`)
  const store = await shown<StoreReport>(workspace)
  expect(store.runs).toMatchObject([{ run: first?.run, outcome: 'killed', cells: { ran: 182, reused: null, failed: null } }])
  expect(store.operations.map(({ operation, cells, batches }) => [operation, cells, batches])).toEqual([
    ['extract', 8, 2],
    ['generate', 18, 9],
    ['capture', 72, 18],
    ['project', 72, 12],
    ['report-answers', 6, 6],
    ['rank', 4, 2],
    ['rank-overview', 1, 1],
    ['report', 1, 1],
  ])
  const files = objectsOf(workspace)
  expect(store.objects).toEqual({ count: files.length, bytes: bytesOf(files) })
})

test('a run that failed shows what it made, what failed and where its log is', async () => {
  const workspace = freshWorkspace()
  workspace.write(
    workflowFile,
    `workflow: audit
steps:
  sorted: { kind: command, run: "sort {in.words} > {out.list}", inputs: { words: ../words.txt }, outputs: { list: list.txt } }
  broken: { kind: command, run: "echo no such luck >&2; exit 3", outputs: { never: never.txt } }
`,
  )
  const { finished } = await run(workspace)
  const report = await shown<RunReport>(workspace, finished.run.slice(0, 15))
  expect(report).toMatchObject({
    run: finished.run,
    outcome: 'failed',
    tasks: { total: 2, done: 1, failed: 1, blocked: 0 },
    steps: [{ step: 'sorted', made: 1, failed: 0, batches: 1, bytes: 11 }],
    failures: [finished.failure],
    holds: [{ operation: 'command', cells: 1, batches: 1, bytes: 11 }],
  })
  const { stdout } = await dag(workspace.folder, ['show', finished.run])
  expect(stdout).toContain(`\nFAILED broken\n  ${finished.failure?.message.split('\n')[0]}\n`)
  expect(stdout).toContain(`  log: ${finished.failure?.log}\n`)
})

test('what is neither a workflow nor a run is an error that lists the runs', async () => {
  const workspace = finishedWorkspace()
  const [known] = (await shown<StoreReport>(workspace)).runs
  const { code, stdout, stderr } = await dag(workspace.folder, ['show', 'yesterday'])
  expect([code, stdout, stderr]).toEqual([
    2,
    '',
    `error: "yesterday" is neither a workflow file nor a run of this store [unknown-run]
  hint: name a workflow file, or a run by its id; runs: ${known?.run}

1 error; nothing was started
`,
  ])
})

test('the cells of a step are listed with what is known of each, as other commands name them', async () => {
  const workspace = finishedWorkspace()
  const report = await shown<CellsReport>(workspace, workflowFile, '--cells', 'vectors')
  expect(report.cells.map(({ task, cell, state }) => [task, cell, state])).toEqual(
    ['kind', 'rude'].flatMap((trait) =>
      [1, 2].flatMap((layer) => ['mean_diff', 'probe'].map((method) => [`vectors/${trait}`, `${trait}@${layer}:${method}`, 'there'])),
    ),
  )
  for (const { facts } of report.cells) expect([facts.pairs, typeof facts.held_out_auc]).toEqual([6, 'number'])
  const [{ task, cell }] = report.cells as [CellReport]
  expect((await dag(workspace.folder, ['lineage', `${task}:${cell}`])).code).toBe(0)
  workspace.edit('prompts/two.json', 'Who are you?', 'What are you?')
  rmSync(objectFile(workspace, objectOf(workspace, 'answers/beta/one')))
  const { cells } = await shown<CellsReport>(workspace, workflowFile, '--cells', 'answers')
  const states = Object.groupBy(cells, ({ state }) => state)
  expect(states.missing?.map((each) => `${each.task}:${each.cell}`)).toEqual(
    ['alpha', 'beta', 'gamma'].map((organism) => `answers/${organism}/two:two_1`),
  )
  expect(states.lost?.map((each) => `${each.task}:${each.cell}`)).toEqual(['answers/beta/one:one_1', 'answers/beta/one:one_2'])
  expect(states.there?.every(({ facts }) => facts.response_tokens === 6)).toBe(true)
  const { stdout } = await dag(workspace.folder, ['show', workflowFile, '--cells', 'answers'])
  expect(stdout.split('\n').slice(0, 4)).toEqual([
    'audit: 18 cells of answers',
    '',
    '  cell                       state  prompt_tokens  response_tokens  finish_reason',
    '  answers/alpha/one:one_1    there             24                6         length',
  ])
})

test('of a step that there is not the others are named, and cells are those of a workflow', async () => {
  const workspace = finishedWorkspace()
  const unknown = await dag(workspace.folder, ['show', workflowFile, '--cells', 'vector'])
  expect([unknown.code, unknown.stderr]).toEqual([
    2,
    `error: "vector" is not a step of this workflow [cells]
  hint: its steps: vectors, answers, answers.capture, clean, scores, ranking, report.answers, report

1 error; nothing was started
`,
  ])
  const alone = await dag(workspace.folder, ['show', '--cells', 'vectors'])
  expect([alone.code, alone.stderr]).toEqual([
    2,
    `error: --cells lists those of a step of a workflow [cells]
  hint: name the workflow’s file before it

1 error; nothing was started
`,
  ])
})
