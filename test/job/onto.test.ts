import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { dag, plan, run } from '../support/dag.ts'
import { finishedWorkspace, vectorFile, type Workspace, workflowFile } from '../support/workspace.ts'

/** The finished workflow, whose scores are projected onto other steps too. */
function ontoSeveral(onto: string, steps = '', more = ''): Workspace {
  const workspace = finishedWorkspace()
  workspace.edit(workflowFile, 'onto: vectors', `onto: ${onto}${more}`)
  workspace.edit(workflowFile, 'steps:\n', `steps:\n${steps}`)
  return workspace
}

const noise = '  noise: { kind: random, model: tiny, layers: [2], count: 2 }\n'

function matrixColumns(workspace: Workspace): readonly string[] {
  return (JSON.parse(workspace.read('experiments/audit/analysis/top_activating/matrix.json')) as { columns: string[] }).columns
}

test('random directions are ranked beside the traits, without a model', async () => {
  const workspace = ontoSeveral('[vectors, noise]', noise)
  const { code, events, finished } = await run(workspace)
  // 2 directions, 72 projections onto them, 4 rankings along them, and what is made of all: 1 overview, 6 parts, 1 report.
  expect([code, finished.cells]).toEqual([0, { ran: 2 + 72 + 4 + 8, reused: 182 - 8, failed: 0 }])
  expect(events.filter((event) => event.type === 'state-changed')).toEqual([])
  expect(matrixColumns(workspace)).toEqual(['kind', 'rude', 'random_1', 'random_2'])
})

test('the scripts of trait-interp find random directions where they look for such a baseline', async () => {
  const workspace = ontoSeveral('[vectors, noise]', noise)
  await run(workspace)
  const ranking = workspace.read('experiments/audit/analysis/top_activating/random_baseline/random_1/one/summary.md')
  expect(ranking.split('\n')[0]).toBe('# random_1 · one')
  const { code, stderr } = await dag(workspace.folder, ['export', 'trait-interp', workflowFile, '--to', workspace.at('out')])
  expect(stderr).toBe('')
  expect(code).toBe(0)
  const folder = 'out/extraction/random_baseline/random_1/instruct/vectors/response_all/residual/random'
  expect(readdirSync(workspace.at(folder)).sort()).toEqual(['layer2.pt', 'metadata.json'])
  expect(readdirSync(workspace.at('out/inference/alpha/projections/random_baseline/random_2/one')).sort()).toEqual(
    ['one_1', 'one_2', 'one_3', 'one_4'].map((prompt) => `${prompt}.json`),
  )
})

test('a random step is taken whole, whichever traits, methods and layers of them are chosen', async () => {
  const workspace = ontoSeveral('[noise, vectors]', noise, ', traits: [kind], methods: [probe]')
  workspace.edit(workflowFile, 'layers: [2] }', 'layers: { kind: 1 } }')
  expect((await run(workspace)).code).toBe(0)
  expect(matrixColumns(workspace)).toEqual(['random_1@2', 'random_2@2', 'kind@1'])
})

test('vectors that are extracted and vectors that are made elsewhere stand in one ranking', async () => {
  const workspace = ontoSeveral(
    '[vectors, mine]',
    '  mine: { kind: vectors, model: tiny, files: "../mine/{trait}/layer{layer}.safetensors" }\n',
  )
  workspace.write('mine/brave/layer2.safetensors', vectorFile(64))
  expect((await run(workspace)).code).toBe(0)
  expect(matrixColumns(workspace)).toEqual(['kind', 'rude', 'brave'])
  expect((await plan(workspace)).cells.run).toBe(0)
})

test.for([
  [
    'a step that makes no vectors',
    '[vectors, answers]',
    '',
    '16:66: error: step "scores": "answers" is a generate step and makes no vectors [not-vectors]',
    'name an extract, a vectors, a random or a shift step',
  ],
  [
    'a vector that two steps have',
    '[vectors, others]',
    '  others: { kind: extract, model: tiny, layers: [2], methods: [mean_diff] }\n',
    '17:66: error: step "scores": "vectors" and "others" both have a vector kind@2:mean_diff [vector-twice]',
    'project onto them in two steps, or choose among them by `traits` or `methods`',
  ],
  [
    'a layer that one of them lacks',
    '[vectors, noise]',
    noise.replace('[2]', '[1]'),
    '17:83: error: step "scores": no vector is extracted at layer 2: "noise" makes layers 1 [layer-not-extracted]',
    'add 2 to the layers of "noise"',
  ],
  [
    'a method that none of them makes',
    '[vectors, others]',
    '  others: { kind: extract, model: tiny, layers: [2], methods: [probe], traits: [kind] }\n',
    '17:85: error: step "scores": "vectors" and "others" make no mine vectors, only mean_diff, probe [method-not-extracted]',
    null,
    ', methods: [mine]',
  ],
  [
    'a baseline that random directions do not have',
    '[vectors, noise]',
    noise,
    '17:84: error: step "scores": "noise" makes directions of no meaning, which have no baseline [no-baseline]',
    'leave `centered` out',
    ', centered: true',
  ],
] as const)('%s is said with its place', async ([, onto, steps, message, hint, more]) => {
  const workspace = ontoSeveral(onto, steps, more)
  const { code, stderr } = await dag(workspace.folder, ['plan', workflowFile])
  expect(stderr).toContain(`${workflowFile}:${message}\n`)
  if (hint) expect(stderr).toContain(`  hint: ${hint}\n`)
  expect(code).toBe(2)
})
