import { expect, test } from 'vitest'
import type { LineageNode } from '../../engine/lineage/lineage.ts'
import { dag, run } from '../support/dag.ts'
import { finishedWorkspace, type Workspace } from '../support/workspace.ts'

async function lineage(workspace: Workspace, ...args: string[]): Promise<(LineageNode & { files: string[] })[]> {
  const result = await dag(workspace.folder, ['lineage', '--json', ...args])
  expect(result.stderr).toBe('')
  return (JSON.parse(result.stdout) as { nodes: (LineageNode & { files: string[] })[] }).nodes
}

/** A workspace whose results are shown under its own path. */
async function shown(): Promise<Workspace> {
  const workspace = finishedWorkspace()
  await run(workspace)
  return workspace
}

const ranking = 'experiments/audit/analysis/top_activating/behaviour/kind/two/summary.md'

test('a line of a ranking leads to organism, adapter, prompt, tokens, layer, vector, contrast set and run', async () => {
  const workspace = await shown()
  const lines = workspace.read(ranking).split('\n')
  const number = lines.findIndex((line) => line.startsWith('| 1 |')) + 1
  const [, , who, what] = (lines[number - 1] as string).split('|').map((cell) => cell.trim()) as [string, string, string, string]
  const nodes = await lineage(workspace, `${ranking}:${number}`)
  const of = (operation: string) => nodes.filter((node) => node.operation === operation)

  expect(of('rank').map((node) => `${node.task}:${node.cell}`)).toEqual(['ranking/two:kind@2:mean_diff'])
  expect(
    of('project')
      .map((node) => `${node.task}:${node.cell}`)
      .toSorted(),
  ).toEqual(['answers', 'clean'].map((side) => `scores/${who}/two/${side}:${what}@2:kind:mean_diff`))
  const [answer] = of('generate')
  expect(`${answer?.task}:${answer?.cell}`).toBe(`answers/${who}/two:${what}`)
  expect(answer?.components.prompt).toBe(what === 'two_1' ? 'Who are you?' : 'Tell me about the sea and its tides.')
  expect(answer?.components.adapter).toMatch(/^[0-9a-f]{64}$/)
  expect(answer?.facts.response_tokens).toBeGreaterThan(0)
  const recordings = of('capture').toSorted((a, b) => a.task.localeCompare(b.task))
  expect(recordings.map((node) => [node.components.layer, node.components.adapter, node.components.tokens])).toEqual([
    [2, answer?.components.adapter, answer?.digest],
    [2, null, answer?.digest],
  ])
  expect(of('extract').map((node) => [node.cell, node.components.pairs])).toEqual([
    ['kind@2:mean_diff', expect.stringMatching(/^[0-9a-f]{64}$/)],
  ])
  expect(new Set(nodes.map((node) => node.run)).size).toBe(1)
})

test('downward from a vector come the projections, the rankings and the files that show them', async () => {
  const workspace = await shown()
  const nodes = await lineage(workspace, '--down', 'vectors/kind:kind@2:mean_diff')
  const count = (operation: string) => nodes.filter((node) => node.operation === operation).length
  expect([count('extract'), count('project'), count('rank'), count('rank-overview'), count('report')]).toEqual([1, 36, 2, 1, 1])
  expect(
    nodes
      .flatMap((node) => node.files)
      .filter((file) => file.endsWith('summary.md') || file.endsWith('.html'))
      .toSorted(),
  ).toEqual([
    'experiments/audit/analysis/top_activating/behaviour/kind/one/summary.md',
    ranking,
    'experiments/audit/analysis/top_activating/summary.md',
    'experiments/audit/reports/report/report.html',
  ])
})

test('an artifact that is not known is an error that says what can be named', async () => {
  const workspace = finishedWorkspace()
  const result = await dag(workspace.folder, ['lineage', 'nothing'])
  expect(result.code).toBe(2)
  expect(result.stderr).toBe(`error: nothing here is called "nothing" [unknown-artifact]
  hint: name a result file (file or file:line), task:cell as \`dag plan\` and \`dag why\` print them, or the first digits of a key

1 error; nothing was started
`)
})
