import { expect, test } from 'vitest'
import { dag, plan, run } from '../support/dag.ts'
import { contrastSet, finishedWorkspace, freshWorkspace, type Workspace, workflowFile } from '../support/workspace.ts'

const steering = `  steering:
    kind: steer
    model: tiny
    along: [vectors, noise]
    layers: [2]
    by: [-6, 6]
    prompts: [one]
    max_new_tokens: 6
`
const noise = '  noise: { kind: random, model: tiny, layers: [2], count: 1 }\n'

function asking(workspace: Workspace, more = noise + steering): Workspace {
  workspace.write(workflowFile, workspace.read(workflowFile) + more)
  return workspace
}

interface Effect {
  readonly organism?: string
  readonly steered_along: string
  readonly by: number
  readonly answers: number
  readonly changes: Readonly<Record<string, { readonly mean: number; readonly cohens_d: number | null }>>
}

const effectsIn = (workspace: Workspace): Effect[] => JSON.parse(workspace.read('experiments/audit/steering/effects.json'))

const made = (events: readonly { readonly type: string }[], task: string): number =>
  events
    .flatMap((event) =>
      event.type === 'batch-finished' && 'task' in event && event.task === task && 'cells' in event ? [Number(event.cells)] : [],
    )
    .reduce((sum, cells) => sum + cells, 0)

test('prompts are answered with each direction added by each amount, and the clean model reads all answers', async () => {
  const workspace = asking(finishedWorkspace())
  const { code, finished, events } = await run(workspace)
  // 4 answers as they are and 3 directions × 2 amounts of them; all read along the 3, those that are alike once.
  expect([code, finished.modelLoads, finished.adapterSwitches, finished.cells.failed]).toEqual([0, 1, 0, 0])
  expect([made(events, 'steering/one'), made(events, 'steering/one/@2')]).toEqual([4, 24])
  expect(finished.cells.ran + finished.cells.reused).toBe(182 + 1 + 28 + 28 * 3 + 1)
  const effects = effectsIn(workspace)
  expect(effects.map(({ steered_along, by, answers }) => [steered_along, by, answers])).toEqual(
    ['kind@2:mean_diff', 'rude@2:mean_diff', 'random_1@2:random'].flatMap((name) => [
      [name, -6, 4],
      [name, 6, 4],
    ]),
  )
  expect(effects.every(({ changes }) => Object.keys(changes).length === 3)).toBe(true)
  expect(workspace.read('experiments/audit/steering/summary.md')).toContain('| steered along | by -6 | by 6 |\n')
})

test('a direction that is added so little that no number changes leaves every answer as it is', async () => {
  const workspace = asking(finishedWorkspace(), steering.replace('[vectors, noise]', 'vectors').replace('[-6, 6]', '[0.0000001]'))
  await run(workspace)
  const changes = effectsIn(workspace).flatMap((effect) => Object.values(effect.changes))
  expect(changes).toEqual(Array.from({ length: 4 }, () => ({ mean: 0, cohens_d: null })))
})

test('what was read of a steered answer that is as the one that is not is nothing new when its prompt is edited', async () => {
  const workspace = asking(finishedWorkspace(), steering.replace('[vectors, noise]', 'vectors').replace('[-6, 6]', '[0.0000001, 90]'))
  await run(workspace)
  workspace.edit('prompts/one.json', 'What is rain?', 'What is snow?')
  const { reasons } = await plan(workspace)
  expect(reasons.map(({ text }) => text)).toEqual([
    'prompt `one_1` edited: 4 answers, 4 steered answers, then up to 6 recordings, 22 projections, 1 comparison, 2 rankings, 1 overview, 3 report parts, 1 report',
  ])
})

test('an amount in lengths of a vector is that of its norm, of random directions that of the others on average', async () => {
  const workspace = asking(finishedWorkspace(), noise + steering.replace('by: [-6, 6]', 'times: [0.5]'))
  await run(workspace)
  const norms = await Promise.all(
    ['kind', 'rude'].map(async (trait) => {
      const { stdout } = await dag(workspace.folder, ['lineage', '--json', `vectors/${trait}:${trait}@2:mean_diff`])
      return Number(JSON.parse(stdout).nodes[0].facts.norm)
    }),
  )
  const unitOf = async (direction: string) => {
    const { stdout } = await dag(workspace.folder, ['lineage', '--json', `steering/one/@2:one_1~${direction}~0.5x`])
    const { amount, norm } = JSON.parse(stdout).nodes[0].components as { amount: number; norm: number }
    return [amount, norm]
  }
  const [kind, rude] = norms as [number, number]
  expect(await unitOf('kind@2:mean_diff')).toEqual([0.5, kind])
  expect(await unitOf('rude@2:mean_diff')).toEqual([0.5, rude])
  expect(await unitOf('random_1@2:random')).toEqual([0.5, (Math.min(kind, rude) + Math.max(kind, rude)) / 2])
})

test('an amount in lengths of a vector is as far as that product in the unit of projections', async () => {
  const exact = 'models:\n  exact: { source: ../models/model, dtype: float32 }\n'
  const along = (amount: string) =>
    steering.replace('[vectors, noise]', 'vectors').replace('model: tiny', 'model: exact').replace('by: [-6, 6]', amount)
  const workspace = asking(finishedWorkspace(), along('times: [2]').replace('layers', 'traits: [kind]\n    layers'))
  workspace.edit(workflowFile, 'models:\n', exact)
  await run(workspace)
  const [byTimes] = effectsIn(workspace)
  const { stdout } = await dag(workspace.folder, ['lineage', '--json', 'vectors/kind:kind@2:mean_diff'])
  workspace.edit(workflowFile, 'times: [2]', `by: [${2 * Number(JSON.parse(stdout).nodes[0].facts.norm)}]`)
  await run(workspace)
  const [byLength] = effectsIn(workspace)
  expect(byLength?.changes).toEqual(byTimes?.changes)
  expect(byTimes?.changes['kind@2:mean_diff']?.mean).not.toBe(0)
})

test('one more amount and one more trait cost their own answers alone', async () => {
  const workspace = asking(finishedWorkspace(), steering.replace('[vectors, noise]', 'vectors'))
  await run(workspace)
  const before = new Map(effectsIn(workspace).map((effect) => [`${effect.steered_along} ${effect.by}`, effect.changes['kind@2:mean_diff']]))
  workspace.edit(workflowFile, 'by: [-6, 6]', 'by: [-6, 6, 9]')
  const amount = await run(workspace)
  expect([made(amount.events, 'steering/one'), made(amount.events, 'steering/one/@2')]).toEqual([0, 8])
  workspace.write('traits/secret.json', contrastSet('secret', 'Do not tell anyone, but', 'The answer is this:'))
  const trait = await run(workspace)
  expect([made(trait.events, 'steering/one'), made(trait.events, 'steering/one/@2')]).toEqual([0, 12])
  const after = new Map(effectsIn(workspace).map((effect) => [`${effect.steered_along} ${effect.by}`, effect.changes['kind@2:mean_diff']]))
  for (const [name, change] of before) expect(after.get(name)).toEqual(change)
  const { stdout } = await dag(workspace.folder, ['lineage', '--json', 'experiments/audit/steering/summary.md'])
  const { counts } = JSON.parse(stdout) as { counts: { operation: string; cells: number }[] }
  expect(counts.filter(({ operation }) => operation !== 'score').map(({ operation, cells }) => [operation, cells])).toEqual([
    ['generate', 4],
    ['steer', 36],
    ['extract', 3],
  ])
})

test('a direction is taken out of organisms, whose answers as they are come from the step that has them', async () => {
  const workspace = asking(
    finishedWorkspace(),
    steering.replace('[vectors, noise]', 'vectors').replace('[-6, 6]', '[-6]\n    organisms: [alpha, beta]'),
  )
  const { finished, events } = await run(workspace)
  expect([finished.adapterSwitches, finished.modelLoads]).toEqual([2, 1])
  expect(['alpha', 'beta'].map((name) => [made(events, `steering/${name}/one`), made(events, `steering/${name}/one/@2`)])).toEqual([
    [0, 8],
    [0, 8],
  ])
  expect(effectsIn(workspace).map(({ organism, steered_along, by }) => [organism, steered_along, by])).toEqual(
    ['alpha', 'beta'].flatMap((name) => [
      [name, 'kind@2:mean_diff', -6],
      [name, 'rude@2:mean_diff', -6],
    ]),
  )
})

test('a renamed step shows its results under the new name, and nothing runs', async () => {
  const workspace = asking(finishedWorkspace(), steering.replace('[vectors, noise]', 'vectors'))
  await run(workspace)
  workspace.edit(workflowFile, '  steering:', '  steered:')
  expect((await run(workspace)).finished.cells.ran).toBe(0)
  expect(workspace.read('experiments/audit/steered/summary.md')).toContain('# What steering along directions brings out\n')
})

test('a line leads to the answers that are steered so, those that are not, and what was read of both', async () => {
  const workspace = asking(finishedWorkspace(), steering.replace('[vectors, noise]', 'vectors'))
  await run(workspace)
  const file = 'experiments/audit/steering/summary.md'
  const line =
    workspace
      .read(file)
      .split('\n')
      .findIndex((text) => text.startsWith('| rude |')) + 1
  const { stdout } = await dag(workspace.folder, ['lineage', `${file}:${line}`])
  expect(stdout).toMatch(/^made of 4 generate of 1 task, 8 steer of 1 task, \d+ score of 2 tasks, 2 extract of 2 tasks\n/)
  expect(stdout).toContain('steering/one/@2:one_1~rude@2:mean_diff~-6\n')
  expect(stdout).not.toContain('~kind@2:mean_diff~')
})

test('steered answers that are computed again are the same', async () => {
  const workspace = asking(
    finishedWorkspace(),
    steering.replace('[vectors, noise]', 'vectors').replace('model: tiny', 'model: exact').replace('[-6, 6]', '[6]'),
  )
  workspace.edit(workflowFile, 'models:\n', 'models:\n  exact: { source: ../models/model, dtype: float32 }\n')
  await run(workspace)
  const { code, stdout } = await dag(workspace.folder, ['verify', '--recompute', '400', '--json', workflowFile])
  const { cells } = JSON.parse(stdout) as { cells: { operation: string; verdict: string }[] }
  const steered = cells.filter(({ operation }) => operation === 'steer').map(({ verdict }) => verdict)
  expect([code, steered]).toEqual([0, Array.from({ length: 8 }, () => 'same')])
})

test.for([
  ['a step without vectors', 'along: answers', '"answers" is a generate step and makes no vectors [not-vectors]'],
  [
    'a model of another size',
    'along: short',
    '"short" has vectors of 32 numbers, the residual stream of "tiny" has 64 [vectors-of-another-model]',
  ],
  [
    'a layer without vectors',
    'along: vectors, layers: [3]',
    'no vector is of layer 3; those that `along` takes are of 1, 2 [layer-not-made]',
  ],
  ['a trait without vectors', 'along: vectors, traits: [kid]', 'no vector that `along` takes is called "kid" [no-such-vector]'],
  ['no amount', 'along: vectors, by: [0, 3]', 'by 0 an answer is not steered [amounts]'],
  ['two kinds of amounts', 'along: vectors, by: [3], times: [1]', '`by` and `times` both say how far [amounts]'],
  [
    'vectors without a length',
    'along: noise, times: [1]',
    'no vector of layer 2 says how far one time is: none that was made here is a mean_diff or a shift [no-length]',
  ],
  [
    'so many tokens',
    'along: vectors, max_new_tokens: 512',
    '512 new tokens leave no room for a prompt in the context of model "tiny", 512 tokens [context]',
  ],
] as const)('steering along %s is refused', async ([, params, message]) => {
  const given = { ...(params.includes('times') ? {} : { by: '[3]' }), max_new_tokens: '4' }
  const rest = Object.entries(given).flatMap(([name, value]) => (params.includes(name) ? [] : [`${name}: ${value}`]))
  const workspace = asking(
    freshWorkspace(),
    `${noise}  short: { kind: random, hidden: 32, layers: [2] }
  steering: { kind: steer, model: tiny, ${[params, ...rest].join(', ')} }
`,
  )
  const { code, stderr } = await dag(workspace.folder, ['plan', workflowFile])
  expect([code, stderr]).toEqual([2, expect.stringContaining(`error: step "steering": ${message}\n`)])
})
