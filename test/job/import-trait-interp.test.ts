import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { dag, plan, run } from '../support/dag.ts'
import { exportedWorkspace } from '../support/experiment.ts'
import { tiny } from '../support/paths.ts'
import { type Workspace, workflowFile } from '../support/workspace.ts'

/** Digests of the stored cells of an operation, sorted. */
function digests(workspace: Workspace, operation: string): string[] {
  const db = new DatabaseSync(workspace.at('cache/index.db'), { readOnly: true })
  const rows = db.prepare('SELECT hex(digest) AS digest FROM cells JOIN units ON units.id = unit WHERE operation = ?').all(operation)
  db.close()
  return (rows as { digest: string }[]).map((row) => row.digest).sort()
}

const ranking = (workspace: Workspace, folder: string) =>
  JSON.parse(workspace.read(`experiments/audit/analysis/top_activating/${folder}/across_organisms.json`)) as Record<string, unknown>

test('what was exported is imported whole, and a workflow that takes it is written', async () => {
  const workspace = await exportedWorkspace()
  expect(await workspace.import('--to', workflowFile)).toEqual({
    code: 0,
    stderr: '',
    stdout: `theirs: 18 responses, 36 recordings, 8 vectors

can be taken: 18 of 18 answers (3 organisms to 2 prompt sets), with layers 1, 2 of the organism and of the clean model; 8 of 8 vectors
written to workflows/audit.yaml; \`dag run workflows/audit.yaml\` takes it and loads no language model
`,
  })
  expect(
    workspace.read(workflowFile),
  ).toBe(`# What \`dag import trait-interp\` found to be sound. Yours to edit: import never writes it over.
workflow: audit
steps:
  answers:
    kind: imported
    responses: "../theirs/inference/{organism}/responses/{set}/{prompt}.json"
    recordings: "../theirs/inference/{organism}/raw/residual/{set}/{prompt}.pt"
    layers: [1, 2]
    hidden: 64
    organisms: [alpha, beta, gamma]
    sets: [one, two]
  clean:
    kind: imported
    of: answers
    recordings: "../theirs/inference/instruct/raw/residual/{set}_replay_{organism}/{prompt}.pt"
    layers: [1, 2]
    hidden: 64
  vectors:
    kind: vectors
    files: "../theirs/extraction/*/{trait}/instruct/vectors/response__5/residual/{method}/layer{layer}.pt"
    hidden: 64
  shifts: { kind: shift, of: [answers, clean] }
  likeness: { kind: compare, of: [vectors, shifts] }
  scores: { kind: project, of: [answers, clean], onto: vectors, layers: [1, 2] }
  ranking: { kind: rank, of: scores }
  report: { kind: report, of: ranking, with: likeness }
`)
})

test('it is projected and ranked to the same numbers without a model, and says that it is imported', async () => {
  const workspace = await exportedWorkspace()
  await workspace.import('--to', workflowFile)
  workspace.edit(workflowFile, 'kind: rank, of: scores', 'kind: rank, of: scores, top: 3')
  const { code, events, finished } = await run(workspace)
  expect([code, finished.cells]).toEqual([0, { ran: 18 + 36 + 36 + 8 + 7 + 288 + 17 + 7, reused: 0, failed: 0 }])
  expect(events.filter((event) => event.type === 'state-changed')).toEqual([])
  expect(digests(workspace, 'imported-recordings')).toEqual(digests(workspace.origin, 'capture'))
  for (const [trait, set] of ['kind', 'rude'].flatMap((name) => [
    [name, 'one'],
    [name, 'two'],
  ]))
    expect(ranking(workspace, `trait/${trait}@2-mean_diff/${set}`)).toEqual(ranking(workspace.origin, `behaviour/${trait}/${set}`))

  const { stdout } = await dag(workspace.folder, ['lineage', 'ranking/two:kind@2:mean_diff', '--details'])
  const lines = stdout.split('\n')
  expect(lines).toContain('from imported-answers (6 cells)')
  expect(lines).toContain('from imported-recordings (12 cells)')
  const at = lines.indexOf('  clean/alpha/two:two_1@2')
  expect(lines.slice(at, at + 8).map((line) => line.replaceAll(/[0-9a-f]{16}/g, 'DIGEST'))).toEqual([
    '  clean/alpha/two:two_1@2',
    '      hidden: 64',
    '      component: "residual"',
    '      positions: "response"',
    '      file: DIGEST…',
    '      tokens: DIGEST…',
    '      layer: 2',
    '      facts: tokens 6, imported inference/instruct/raw/residual/two_replay_alpha/two_1.pt',
  ])
  expect((await plan(workspace)).cells.run).toBe(0)
})

test('in the store that it comes from, what is imported is the same: nothing is projected again', async () => {
  const { origin, at } = await exportedWorkspace()
  const pattern = `${at('theirs')}/extraction/*/{trait}/instruct/vectors/response__5/residual/{method}/layer{layer}.pt`
  origin.write(
    workflowFile,
    `${origin.read(workflowFile)}  given: { kind: vectors, model: tiny, files: "${pattern}" }
  along: { kind: project, of: [answers, clean], onto: given }
`,
  )
  await run(origin)
  const written = await dag(origin.folder, ['import', 'trait-interp', at('theirs'), '--to', 'workflows/again.yaml'])
  expect([written.code, written.stdout.split('\n')[1]]).toEqual([
    0,
    'note: the prompt sets one, two are not there to compare with; --prompts names their folder',
  ])
  const before = digests(origin, 'project').length
  const again = await dag(origin.folder, ['run', 'workflows/again.yaml', '--ui', 'json'])
  expect([again.code, digests(origin, 'project').length]).toEqual([0, before])
})

test('answers without recordings are recorded here, on both sides, to what was recorded where they were written', async () => {
  const workspace = await exportedWorkspace()
  for (const variant of ['alpha', 'beta', 'gamma', 'instruct']) workspace.remove(`inference/${variant}/raw`)
  await workspace.import('--to', workflowFile)
  const adapter = (name: string) => `  ${name}: { adapter: ${JSON.stringify(path.join(tiny, 'organisms', name))} }\n`
  workspace.write('organisms.yaml', `organisms:\n${['alpha', 'beta', 'gamma'].map(adapter).join('')}`)
  workspace.edit(
    workflowFile,
    '    kind: imported\n',
    '    kind: imported\n    model: tiny\n    capture: { layers: [1, 2] }\n    batch_size: 2\n',
  )
  workspace.write(
    workflowFile,
    `${workspace.read(workflowFile)}  clean: { kind: replay, of: answers, through: tiny, capture: { layers: [1, 2] }, batch_size: 2 }
  scores: { kind: project, of: [answers, clean], onto: vectors, layers: [2], methods: [mean_diff] }
  ranking: { kind: rank, of: scores, top: 3 }
models: { tiny: { source: ${JSON.stringify(path.join(tiny, 'model'))}, dtype: bfloat16 } }
organisms: { from: ../organisms.yaml }
`,
  )
  const { code, finished } = await run(workspace)
  expect([code, finished.cells.ran, finished.modelLoads, finished.adapterSwitches]).toEqual([0, 18 + 72 + 8 + 72 + 5, 1, 3])
  const theirs = new Set(digests(workspace.origin, 'capture'))
  expect(digests(workspace, 'capture').filter((digest) => theirs.has(digest)).length).toBe(72)
  expect(ranking(workspace, 'trait/kind/one')).toEqual(ranking(workspace.origin, 'behaviour/kind/one'))
})
