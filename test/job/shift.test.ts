import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { PlanReport } from '../../engine/report/plan-report.ts'
import { ownModels } from '../impact/row.ts'
import { dag, run } from '../support/dag.ts'
import { objectFile, rows } from '../support/stored.ts'
import { finishedWorkspace, freshWorkspace, organismList, theirsText, type Workspace, workflowFile } from '../support/workspace.ts'

const steps = `  moved: { kind: shift, of: [answers, clean] }
  alike: { kind: compare, of: [vectors, moved] }
`

/** A workspace that also asks where the organisms are moved. */
function asking(workspace: Workspace, more = steps): Workspace {
  workspace.write(workflowFile, workspace.read(workflowFile) + more)
  return workspace
}

interface TensorSlot {
  readonly object: string
  readonly offset: number
  readonly length: number
  readonly dtype: string
  readonly shape: readonly [number, number]
}

/** What the cells of a task hold whose names end so, as rows of numbers. */
function tensors(workspace: Workspace, task: string, end: string): number[][][] {
  const sql = `SELECT slot FROM cells JOIN units ON units.id = unit WHERE task = '${task}' AND cell LIKE '%${end}' ORDER BY cell`
  return rows<{ slot: string }>(workspace, sql).map(({ slot }) => {
    const { object, offset, length, dtype, shape } = JSON.parse(slot) as TensorSlot
    const bytes = Uint8Array.from(readFileSync(objectFile(workspace, { object, offset })).subarray(offset, offset + length)).buffer
    // A bfloat16 is the upper half of a float32.
    const wide = dtype === 'bfloat16' ? Uint32Array.from(new Uint16Array(bytes), (bits) => bits << 16).buffer : bytes
    const numbers = [...new Float32Array(wide)]
    const width = shape.at(-1) as number
    return Array.from({ length: numbers.length / width }, (_, row) => numbers.slice(row * width, (row + 1) * width))
  })
}

const meanOf = (all: readonly (readonly number[])[]) =>
  (all[0] as number[]).map((_, index) => all.reduce((sum, row) => sum + (row[index] as number), 0) / all.length)

test('a shift is the mean over all answers of an organism of what its recordings are more than those of the clean model', async () => {
  const workspace = asking(finishedWorkspace())
  const { code, finished, events } = await run(workspace)
  expect([code, finished.cells]).toEqual([0, { ran: 3 * 2 + 1, reused: 182, failed: 0 }])
  expect(events.filter(({ type }) => type === 'state-changed')).toEqual([])
  const moved = ['one', 'two'].flatMap((set) => {
    const [own, clean] = ['answers.capture', 'clean'].map((side) => tensors(workspace, `${side}/alpha/${set}`, '@2').map(meanOf))
    return (own as number[][]).map((row, answer) => row.map((number, index) => number - (clean?.[answer]?.[index] as number)))
  })
  const mean = meanOf(moved)
  const length = Math.hypot(...mean)
  const [[made]] = tensors(workspace, 'moved/alpha', '@2:shift') as [[number[]]]
  expect(moved).toHaveLength(6)
  for (const [index, number] of mean.entries()) expect(made[index]).toBeCloseTo(number / length, 6)
})

test('a shift of one prompt set is that of its answers alone, and all sets by name are those of none', async () => {
  const workspace = asking(finishedWorkspace(), '  moved: { kind: shift, of: [answers, clean], layers: [2], prompts: [two] }\n')
  await run(workspace)
  const [own, clean] = ['answers.capture', 'clean'].map((side) => tensors(workspace, `${side}/beta/two`, '@2').map(meanOf))
  const mean = meanOf((own as number[][]).map((row, answer) => row.map((number, index) => number - (clean?.[answer]?.[index] as number))))
  const [[made]] = tensors(workspace, 'moved/beta', '@2:shift') as [[number[]]]
  for (const [index, number] of mean.entries()) expect(made[index]).toBeCloseTo(number / Math.hypot(...mean), 6)
  workspace.edit(workflowFile, 'prompts: [two] }', 'prompts: [one, two] }')
  expect((await run(workspace)).finished.cells.ran).toBe(3)
  workspace.edit(workflowFile, ', prompts: [one, two] }', ' }')
  expect((await run(workspace)).finished.cells.ran).toBe(0)
})

test('what is compared is shown by what it says: the traits that each organism is moved along, and all cosines of a layer', async () => {
  const workspace = asking(finishedWorkspace(), steps.replace('[answers, clean]', '[answers, clean], layers: [2]'))
  workspace.edit(
    'organisms/list.yaml',
    'beta: { adapter: ../models/organisms/beta }',
    'beta: { adapter: ../models/organisms/beta, plants: kind }',
  )
  await run(workspace)
  const text = workspace.read('experiments/audit/alike/summary.md')
  const json = JSON.parse(workspace.read('experiments/audit/alike/cosines.json'))
  const named = (method: string) => ['alpha', 'beta', 'gamma'].map((organism) => `${organism}@2:${method}`)
  expect(json.map(({ layer, vectors }: { layer: number; vectors: string[] }) => [layer, vectors])).toEqual([
    [1, ['kind@1:mean_diff', 'rude@1:mean_diff']],
    [2, ['kind@2:mean_diff', 'rude@2:mean_diff', ...named('shift'), ...named('apart')]],
  ])
  const [, { cosines }] = json as { cosines: number[][] }[] as [unknown, { cosines: number[][] }]
  for (const [row, own] of cosines.entries())
    expect([own[row], own.map((one, column) => one - (cosines[column]?.[row] as number))]).toEqual([1, own.map(() => 0)])
  const [kind, rude] = cosines[3] as [number, number]
  const told = [`**kind@2 ${kind.toFixed(2)}**`, `rude@2 ${rude.toFixed(2)}`]
  expect(text).toContain(`| beta | ${(kind > rude ? told : told.reverse()).join(' | ')} | `)
  expect(workspace.read('experiments/audit/alike/layer2.md')).toContain(`| beta:shift | ${kind.toFixed(2)} | ${rude.toFixed(2)} |\n`)
})

test('a line of a comparison leads to the recordings of the organism and to the traits that stand in it', async () => {
  const workspace = asking(finishedWorkspace())
  await run(workspace)
  const file = 'experiments/audit/alike/summary.md'
  const line =
    workspace
      .read(file)
      .split('\n')
      .findIndex((text) => text.startsWith('| beta |')) + 1
  const { stdout } = await dag(workspace.folder, ['lineage', '--json', `${file}:${line}`])
  const { counts } = JSON.parse(stdout) as { counts: { operation: string; cells: number }[] }
  // Each trait stands at the one of two layers where it is nearest; below a shift no line chooses any more.
  expect(counts.map(({ operation, cells }) => [operation, cells])).toEqual([
    ['extract', 2],
    ['shift', 2],
    ['capture', 24],
    ['generate', 6],
  ])
})

test('organisms are ranked along where each of them is moved, in a ranking of its own', async () => {
  const workspace = asking(
    finishedWorkspace(),
    `  moved: { kind: shift, of: [answers, clean], layers: [2] }
  along: { kind: project, of: [answers, clean], onto: moved }
  movement: { kind: rank, of: along, folder: movement }
`,
  )
  const { code, finished } = await run(workspace)
  expect([code, finished.cells.ran]).toEqual([0, 3 + 36 * 3 + 6 + 1])
  const matrix = JSON.parse(workspace.read('experiments/audit/analysis/movement/matrix.json'))
  expect(matrix.columns).toEqual(['alpha:shift', 'beta:shift', 'gamma:shift'])
  for (const [index, row] of matrix.rows.entries()) expect(row.values[index]).toBeGreaterThan(0)
  expect(workspace.read('experiments/audit/analysis/movement/organism_shift/beta/one/summary.md')).toContain('# beta · one')
})

test('an organism that is the base itself is moved nowhere and has none', async () => {
  const workspace = asking(finishedWorkspace())
  workspace.write('organisms/list.yaml', `${organismList(['alpha', 'beta'])}  itself: { adapter: none }\n`)
  await run(workspace)
  const json = JSON.parse(workspace.read('experiments/audit/alike/cosines.json'))
  expect(json[1].vectors.filter((name: string) => name.endsWith(':shift'))).toEqual(['alpha@2:shift', 'beta@2:shift'])
})

test('an organism that moves nothing is told, and the others are compared without it', async () => {
  const workspace = freshWorkspace()
  ownModels(workspace)
  const weights = workspace.at('models/organisms/beta/adapter_model.safetensors')
  const bytes = readFileSync(weights)
  workspace.write('models/organisms/beta/adapter_model.safetensors', bytes.fill(0, 8 + Number(bytes.readBigUInt64LE())))
  const { code, stdout } = await dag(asking(workspace).folder, ['run', '--ui', 'plain', workflowFile])
  expect(code).toBe(1)
  expect(stdout).toContain("cell beta@1:shift: the organism's recordings are the clean model's: its adapter moves nothing\n")
  expect(stdout).toContain('going on without beta: ')
  const json = JSON.parse(workspace.read('experiments/audit/alike/cosines.json'))
  expect(json[0].vectors).toEqual(['kind@1:mean_diff', 'rude@1:mean_diff', 'alpha@1:shift', 'gamma@1:shift'])
})

test('recordings that are given up after use come back for a shift, which is the same', async () => {
  const kept = asking(finishedWorkspace())
  await run(kept)
  const workspace = freshWorkspace()
  workspace.edit(workflowFile, '{ layers: [1, 2] }', '{ layers: [1, 2], raw: evict-after-projection }')
  await run(workspace)
  const { code, finished } = await run(asking(workspace))
  // All 72 recordings of both sides, 6 shifts and the comparison.
  expect([code, finished.cells.ran]).toEqual([0, 72 + 7])
  const [own, others] = [workspace, kept].map((one) => tensors(one, 'moved/gamma', '@1:shift'))
  expect(own).toEqual(others)
})

test('shifts of imported recordings load no model', async () => {
  const workspace = asking(
    freshWorkspace(),
    `${theirsText}  moved: { kind: shift, of: [theirs, read] }
`,
  )
  workspace.write(workflowFile, workspace.read(workflowFile).replace(/^ {2}vectors:[^]*(?=^ {2}theirs:)/m, ''))
  const { code, finished } = await run(workspace)
  expect([code, finished.modelLoads, finished.cells.ran]).toEqual([0, 0, 1 + 1 + 1 + 1])
})

test('ways to keep recordings that a shift could not be made of are not forecast', async () => {
  const policies = async (workspace: Workspace): Promise<string[]> => {
    const { stdout } = await dag(workspace.folder, ['plan', '--json', '--raw-policies', workflowFile])
    return (JSON.parse(stdout) as PlanReport).policies.map(({ policy }) => policy)
  }
  expect(await policies(freshWorkspace())).toEqual(['keep', 'keep-int8', 'evict-after-projection', 'never'])
  expect(await policies(asking(freshWorkspace()))).toEqual(['keep', 'keep-int8', 'evict-after-projection'])
})

test('shifts that were exported as vectors of an experiment are taken from it as they are', async () => {
  const workspace = asking(finishedWorkspace())
  // Vectors of one position are taken; a shift is of all tokens.
  workspace.edit(workflowFile, 'kind: extract, model: tiny', 'kind: extract, position: response, model: tiny')
  await run(workspace)
  const first = JSON.parse(workspace.read('experiments/audit/alike/cosines.json'))
  await dag(workspace.folder, ['export', 'trait-interp', workflowFile, '--to', 'their/experiments/audit', '--recordings'])
  await dag(workspace.folder, ['import', 'trait-interp', 'their/experiments/audit', '--to', 'workflows/back.yaml'])
  expect(workspace.read('workflows/back.yaml')).not.toContain('kind: shift')
  workspace.write('workflows/back.yaml', `${workspace.read('workflows/back.yaml')}  alike: { kind: compare, of: vectors }\n`)
  const { code, stdout } = await dag(workspace.folder, ['run', '--ui', 'json', 'workflows/back.yaml'])
  expect([code, stdout]).toEqual([0, expect.stringContaining('"modelLoads":0')])
  const [folder] = /"look":\["(experiments\/[^/]+)/.exec(stdout)?.slice(1) ?? []
  const again = JSON.parse(workspace.read(`${folder}/alike/cosines.json`))
  const cosine = (layers: typeof first, one: string, other: string) => {
    const { vectors, cosines } = layers[1] as { vectors: string[]; cosines: number[][] }
    return cosines[vectors.indexOf(one)]?.[vectors.indexOf(other)]
  }
  expect(cosine(again, 'beta@2:shift', 'kind@2:mean_diff')).toBe(cosine(first, 'beta@2:shift', 'kind@2:mean_diff'))
})

test('a pilot leaves what is made of all prompts to the whole run', async () => {
  const workspace = asking(freshWorkspace())
  workspace.edit(workflowFile, 'workflow: audit', 'workflow: audit\npilot: { organisms: 1, prompts: 3, go_on_within: 1000 }')
  const { stdout } = await dag(workspace.folder, ['run', '--ui', 'json', workflowFile])
  const ends = stdout.split('\n').flatMap((line) => (line.includes('"run-finished"') ? [JSON.parse(line).cells] : []))
  expect(ends).toEqual([
    { ran: 35, reused: 0, failed: 0 },
    { ran: 189 - 35, reused: 35, failed: 0 },
  ])
})

test.for([
  [
    'a prompt set that nobody answers',
    'of: [answers, clean], prompts: [one, three]',
    'step "answers" has no answers to prompt set "three", only to one, two [not-answered]',
    null,
  ],
  ['one side alone', 'of: answers', 'it takes a step with answers and one replay of them [sides]', 'e.g. `of: [answers, clean]`'],
  ['what is no replay of it', 'of: [answers, vectors]', 'it takes a step with answers and one replay of them [sides]', null],
  [
    'a layer that is not recorded',
    'of: [answers, clean], layers: [2, 3]',
    'step "answers" does not record layer 3 (it records 1, 2) [layer-not-captured]',
    'add 3 to the layers of "answers"',
  ],
  [
    'a side that keeps none of its recordings',
    'of: [answers, brief]',
    'step "brief" keeps none of its recordings (`raw: never`) [not-recorded]',
    'with `raw: evict-after-projection` they are removed once they have been read',
  ],
] as const)('a shift of %s is refused', async ([, params, message, hint]) => {
  const workspace = asking(
    finishedWorkspace(),
    `  brief: { kind: replay, of: answers, through: tiny, capture: { layers: [2], raw: never } }
  used: { kind: project, of: brief, onto: vectors, layers: [2] }
  moved: { kind: shift, ${params} }
`,
  )
  const { code, stderr } = await dag(workspace.folder, ['plan', workflowFile])
  expect([code, stderr]).toEqual([2, expect.stringContaining(`error: step "moved": ${message}\n`)])
  if (hint) expect(stderr).toContain(`  hint: ${hint}\n`)
})

test.for([
  ['a step without vectors', 'of: answers', '"answers" is a generate step and makes no vectors [not-vectors]'],
  [
    'a method that nothing makes',
    'of: vectors, methods: [probe, mine]',
    '"vectors" makes no mine vectors, only mean_diff, probe [method-not-extracted]',
  ],
  ['a vector that two steps have', 'of: [vectors, others]', '"vectors" and "others" both have a vector kind@2:mean_diff [vector-twice]'],
  ['vectors of other lengths', 'of: [vectors, short]', '"vectors" has vectors of 64 numbers, "short" of 32 [vectors-of-another-model]'],
] as const)('a comparison of %s is refused', async ([, params, message]) => {
  const workspace = asking(
    finishedWorkspace(),
    `  others: { kind: extract, model: tiny, layers: [2] }
  short: { kind: random, hidden: 32, layers: [2] }
  alike: { kind: compare, ${params} }
`,
  )
  const { code, stderr } = await dag(workspace.folder, ['plan', workflowFile])
  expect([code, stderr]).toEqual([2, expect.stringContaining(`error: step "alike": ${message}\n`)])
})
