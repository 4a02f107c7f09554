import { expect, test } from 'vitest'
import { flipWeights } from '../impact/edits.ts'
import { ownModels } from '../impact/row.ts'
import { escapeHtml } from '../../steps/report/html.ts'
import { dag, run } from '../support/dag.ts'
import { contrastSet, finishedWorkspace, freshWorkspace, type Workspace, workflowFile } from '../support/workspace.ts'

const moved = '  moved: { kind: shift, of: [answers, clean], layers: [2] }\n'
const words = '  words: { kind: logit_lens, model: tiny, of: [vectors, moved], top: 4 }\n'

function asking(workspace: Workspace, more = moved + words): Workspace {
  workspace.write(workflowFile, workspace.read(workflowFile) + more)
  return workspace
}

interface Listed {
  readonly trait: string
  readonly layer: number
  readonly method: string
  readonly of: string
  readonly toward: readonly { readonly id: number; readonly token: string; readonly value: number }[]
  readonly away: readonly { readonly id: number; readonly token: string; readonly value: number }[]
}

const listed = (workspace: Workspace): Listed[] => JSON.parse(workspace.read('experiments/audit/words/tokens.json'))
const named = ({ of, trait, layer, method }: Listed) => `${of} ${trait}@${layer}:${method}`

test('every vector is read as tokens, and organisms also by what of their shift is their own', async () => {
  const workspace = asking(finishedWorkspace())
  const { code, finished } = await run(workspace)
  // 3 shifts; 4 mean differences, 3 shifts and 3 own parts as tokens; their summary.
  expect([code, finished.cells, finished.modelLoads]).toEqual([0, { ran: 3 + 10 + 1, reused: 182, failed: 0 }, 1])
  const lists = listed(workspace)
  expect(lists.map(named)).toEqual([
    'trait kind@1:mean_diff',
    'trait kind@2:mean_diff',
    'trait rude@1:mean_diff',
    'trait rude@2:mean_diff',
    ...['alpha', 'beta', 'gamma'].map((name) => `organism ${name}@2:shift`),
    ...['alpha', 'beta', 'gamma'].map((name) => `apart ${name}@2:apart`),
  ])
  for (const { toward, away } of lists) {
    const ids = [...toward, ...away].map(({ id }) => id)
    expect([toward.length, away.length, new Set(ids).size]).toEqual([4, 4, 8])
    expect(toward.map(({ value }) => value)).toEqual(toward.map(({ value }) => value).toSorted((a, b) => b - a))
    expect(away.map(({ value }) => value)).toEqual(away.map(({ value }) => value).toSorted((a, b) => a - b))
  }
  expect(workspace.read('experiments/audit/words/summary.md')).toContain('## What organisms are moved towards, apart from what all share\n')
})

test('one more trait is read alone, and another shift of one organism changes the own parts of all', async () => {
  const workspace = asking(finishedWorkspace())
  ownModels(workspace)
  await run(workspace)
  const read = async () => {
    const { events } = await run(workspace)
    return events.flatMap((event) => (event.type === 'batch-finished' && event.task === 'words/tokens' ? [event.cells] : []))
  }
  workspace.write('traits/secret.json', contrastSet('secret', 'Do not tell anyone, but', 'The answer is this:'))
  expect(await read()).toEqual([2])
  flipWeights('models/organisms/gamma', 'adapter_model.safetensors')(workspace)
  expect(await read()).toEqual([4])
})

test('a report shows what was found of its organisms where it names the steps, and is made anew when that changes', async () => {
  const workspace = asking(finishedWorkspace(), `${moved}${words}  alike: { kind: compare, of: [vectors, moved] }\n`)
  workspace.edit(workflowFile, 'kind: report, of: ranking', 'kind: report, of: ranking, with: [alike, words]')
  await run(workspace)
  const page = workspace.read('experiments/audit/reports/report/report.html')
  const told = ['alike', 'words'].map((step) => JSON.parse(workspace.read(`experiments/audit/${step}/organisms.json`)).organisms)
  const table = /<details id="told" open>.*?<\/details>/s.exec(page)?.[0] ?? ''
  for (const [index, { organism, texts }] of told[0].entries()) {
    const cells = [...texts, ...told[1][index].texts].map((text: string) => `<td>${escapeHtml(text)}</td>`)
    expect(table.replaceAll('&nbsp;', ' ')).toContain(`<tr><th scope="row">${organism}</th>${cells.join('')}</tr>`)
  }
  workspace.edit(workflowFile, 'top: 4', 'top: 5')
  const { stdout } = await dag(workspace.folder, ['why', workflowFile, 'report'])
  expect(stdout).toContain('it waits for words/summary\n')
})

test('a number of a summary leads to the vectors and what they were made of', async () => {
  const workspace = asking(finishedWorkspace(), words.replace('[vectors, moved]', 'vectors'))
  await run(workspace)
  const { stdout } = await dag(workspace.folder, ['lineage', '--json', 'experiments/audit/words/summary.md'])
  const { counts } = JSON.parse(stdout) as { counts: { operation: string; cells: number }[] }
  expect(counts.map(({ operation, cells }) => [operation, cells])).toEqual([
    ['logit-lens', 4],
    ['extract', 4],
  ])
})

test('tokens that are computed again are compared by their ids', async () => {
  const workspace = asking(finishedWorkspace(), words.replace('[vectors, moved]', 'vectors'))
  await run(workspace)
  const { code, stdout } = await dag(workspace.folder, ['verify', '--recompute', '20', '--json', workflowFile])
  const { cells } = JSON.parse(stdout) as { cells: { operation: string; ids: unknown; verdict: string }[] }
  expect([code, cells.filter(({ operation }) => operation === 'logit-lens').map(({ ids, verdict }) => [ids, verdict])]).toEqual([
    0,
    Array.from({ length: 4 }, () => [{ stored: 8, again: 8, common: 8 }, 'same']),
  ])
})

test.for([
  ['a step without vectors', 'of: answers', '"answers" is a generate step and makes no vectors [not-vectors]'],
  [
    'a model of another size',
    'of: short',
    '"short" has vectors of 32 numbers, the residual stream of "tiny" has 64 [vectors-of-another-model]',
  ],
  ['a vector that two steps have', 'of: [vectors, others]', '"vectors" and "others" both have a vector kind@2:mean_diff [vector-twice]'],
] as const)('reading %s is refused', async ([, params, message]) => {
  const workspace = asking(
    freshWorkspace(),
    `  others: { kind: extract, model: tiny, layers: [2] }
  short: { kind: random, hidden: 32, layers: [2] }
  words: { kind: logit_lens, model: tiny, ${params} }
`,
  )
  const { code, stderr } = await dag(workspace.folder, ['plan', workflowFile])
  expect([code, stderr]).toEqual([2, expect.stringContaining(`error: step "words": ${message}\n`)])
})

test('a report with a step that finds nothing of organisms is refused', async () => {
  const workspace = freshWorkspace()
  workspace.edit(workflowFile, 'kind: report, of: ranking', 'kind: report, of: ranking, with: vectors')
  const { code, stderr } = await dag(workspace.folder, ['plan', workflowFile])
  expect([code, stderr]).toEqual([
    2,
    expect.stringContaining('error: step "report": "vectors" is an extract step and finds nothing of organisms [not-told]\n'),
  ])
})
