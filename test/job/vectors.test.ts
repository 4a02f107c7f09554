import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { cellDigests } from '../support/cells.ts'
import { dag, plan, run } from '../support/dag.ts'
import { python } from '../support/paths.ts'
import { changeIndex, flipByte, objectFile, rows, type StoredCell } from '../support/stored.ts'
import { contrastSet, finishedWorkspace, vectorFile, type Workspace, workflowFile } from '../support/workspace.ts'

/** The finished workflow, with a step that takes vectors from files and one that projects onto them. */
function withGiven(files: string, project = ''): Workspace {
  const workspace = finishedWorkspace()
  workspace.edit(
    workflowFile,
    'steps:\n',
    `steps:
  given: { kind: vectors, model: tiny, files: "${files}" }
  along: { kind: project, of: [answers, clean], onto: given${project} }
`,
  )
  return workspace
}

/** Writes what Python makes of an expression in which `torch` and `data` (arguments) are known. */
function torchSave(workspace: Workspace, file: string, expression: string): void {
  workspace.write(file, '')
  execFileSync(python, ['-c', `import sys, torch; torch.save(${expression}, sys.argv[1])`, workspace.at(file)])
}

test('vectors in .pt and safetensors files are projected onto like those that are extracted, without a model', async () => {
  const workspace = withGiven('../mine/*/{trait}/response_all/{method}/layer{layer}.pt')
  torchSave(workspace, 'mine/behaviour/kind/response_all/probe/layer2.pt', 'torch.arange(64) / 100')
  torchSave(workspace, 'mine/tone/calm/response_all/probe/layer1.pt', 'torch.eye(64)[3].bfloat16()')
  const { code, events, finished } = await run(workspace)
  expect([code, finished.cells]).toEqual([0, { ran: 2 + 36 + 36, reused: 182, failed: 0 }])
  expect(events.filter((event) => event.type === 'state-changed')).toEqual([])

  const same = withGiven('../mine/{trait}/layer{layer}.safetensors')
  same.write('mine/calm/layer1.safetensors', vectorFile(64))
  await run(same)
  const made = cellDigests(workspace)
  const others = [...cellDigests(same)].filter(([key, digest]) => made.get(key) !== digest)
  expect([cellDigests(same).size, others.length]).toEqual([182 + 1 + 36, 1])
})

/** The next run does not see by an object's times that somebody wrote to it: damage is found by whoever reads it. */
function forgetStamps(workspace: Workspace): void {
  changeIndex(workspace, 'DELETE FROM standing')
}

test('one more vector costs its own projections and no other', async () => {
  const workspace = withGiven('../mine/{trait}/layer{layer}.safetensors')
  workspace.write('mine/calm/layer1.safetensors', vectorFile(64))
  await run(workspace)
  workspace.write('mine/brave/layer1.safetensors', vectorFile(64, 7))
  expect((await plan(workspace)).cells).toEqual({ total: 182 + 2 + 72, run: 1 + 36, reuse: 182 + 1 + 36 })
})

test('a new vector reads the recordings of its layer alone and loads no model, though those of other layers are damaged', async () => {
  const workspace = withGiven('../mine/{trait}/layer{layer}.safetensors')
  workspace.write('mine/calm/layer1.safetensors', vectorFile(64))
  await run(workspace)
  const others = rows<{ slot: string }>(
    workspace,
    "SELECT slot FROM cells JOIN units ON units.id = unit WHERE operation = 'capture' AND cell LIKE '%@2'",
  ).map(({ slot }) => JSON.parse(slot) as StoredCell)
  for (const other of others) flipByte(objectFile(workspace, other), other.offset)
  forgetStamps(workspace)
  workspace.write('mine/brave/layer1.safetensors', vectorFile(64, 7))
  const { code, events, finished } = await run(workspace)
  expect([others.length, code, finished.cells, finished.modelLoads]).toEqual([36, 0, { ran: 1 + 36, reused: 182 + 1 + 36, failed: 0 }, 0])
  expect(events.filter(({ type }) => type === 'state-changed' || type === 'object-lost')).toEqual([])
})

test('however many recordings are damaged, one run makes them again and ends well', async () => {
  const workspace = finishedWorkspace()
  const before = cellDigests(workspace)
  const recordings = rows<{ slot: string }>(workspace, "SELECT slot FROM cells JOIN units ON units.id = unit WHERE operation = 'capture'")
  const places = recordings.map(({ slot }) => JSON.parse(slot) as StoredCell)
  for (const place of places) flipByte(objectFile(workspace, place), place.offset)
  forgetStamps(workspace)
  workspace.write('traits/dull.json', contrastSet('dull', 'How tedious a question,', 'The answer is this:'))
  const { code, finished } = await run(workspace)
  expect([code, finished.outcome, new Set(places.map(({ object }) => object)).size]).toEqual([0, 'done', 18])
  const after = cellDigests(workspace)
  expect([...before].filter(([key, digest]) => after.get(key) !== digest)).toEqual([])
})

test.for([
  ['of another length', 'torch.ones(63)', "it holds a tensor of shape [63], the model's residual stream has 64 values"],
  ['that is zero', 'torch.zeros(64)', 'it is zero or not finite: it has no direction'],
  ['that is no number', 'torch.full([64], float("nan"))', 'it is zero or not finite: it has no direction'],
  ['in a dictionary', '{"layer": torch.ones(64)}', 'it holds a dict, not a tensor'],
] as const)('a vector %s fails alone, with its file', async ([, expression, reason]) => {
  const workspace = withGiven('../mine/{trait}/layer{layer}.pt')
  torchSave(workspace, 'mine/calm/layer1.pt', 'torch.ones(64)')
  torchSave(workspace, 'mine/wrong/layer2.pt', expression)
  const { code, events } = await run(workspace)
  expect(code).toBe(1)
  expect(events.filter((event) => event.type === 'cell-failed')).toEqual([
    { at: expect.any(Number), type: 'cell-failed', task: 'given/wrong', cell: 'wrong@2:given', reason: `layer2.pt: ${reason}` },
  ])
})

test('a .pt file that would run code is refused, and the code is not run', async () => {
  const workspace = withGiven('../mine/{trait}/layer{layer}.pt')
  workspace.write(
    'evil.py',
    `import os, torch
class Evil:
    def __reduce__(self):
        return os.mkdir, (${JSON.stringify(workspace.at('ran'))},)
torch.save(Evil(), ${JSON.stringify(workspace.at('mine/calm/layer1.pt'))})
`,
  )
  workspace.write('mine/calm/layer1.pt', '')
  execFileSync(python, [workspace.at('evil.py')])
  const { code, finished } = await run(workspace)
  expect([code, finished.failure?.message]).toEqual([1, expect.stringContaining('cell calm@1:given: layer1.pt: it is no file of a tensor')])
  expect(readdirSync(workspace.folder)).not.toContain('ran')
})

test.for([
  [
    'a pattern without a layer',
    '../mine/{trait}.pt',
    '',
    `8:47: error: step "given": "files" lacks {layer} [pattern]`,
    'write it like ../vectors/{trait}/{method}/layer{layer}.pt',
  ],
  [
    'a pattern that no file matches',
    '../mine/{trait}/{layer}.pt',
    '',
    '8:47: error: step "given" reads ../mine/{trait}/{layer}.pt, which no file matches [missing-file]',
    null,
  ],
  [
    'a layer that the model does not have',
    '../far/{trait}/layer{layer}.safetensors',
    '',
    '8:47: error: step "given": layer 9 does not exist: model "tiny" has 4 layers [layer-out-of-range]',
    'layers are counted from 0 to 3',
  ],
  [
    'a baseline that is not known',
    '../mine/{trait}/layer{layer}.safetensors',
    ', centered: true',
    '9:72: error: step "along": "given" takes vectors made elsewhere, whose baseline is not known [no-baseline]',
    'leave `centered` out',
  ],
] as const)('%s is said with its place', async ([, files, project, message, hint]) => {
  const workspace = withGiven(files, project)
  workspace.write('mine/calm/layer1.safetensors', vectorFile(64))
  workspace.write('far/calm/layer9.safetensors', vectorFile(64))
  const { code, stderr } = await dag(workspace.folder, ['plan', workflowFile])
  expect(code).toBe(2)
  expect(stderr).toContain(`${workflowFile}:${message}\n`)
  if (hint) expect(stderr).toContain(`  hint: ${hint}\n`)
})
