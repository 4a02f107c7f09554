import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { type Maker, makerText } from '../../engine/core/maker.ts'
import type { LineageNode } from '../../engine/lineage/lineage.ts'
import type { Slot } from '../../engine/core/step-kind.ts'
import type { LineageReport } from '../../engine/report/lineage-text.ts'
import { numbersIn } from '../../engine/store/numbers.ts'
import { dag, run } from '../support/dag.ts'
import { python, root } from '../support/paths.ts'
import { manifestOf, objectFile, rows } from '../support/stored.ts'
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

/** Number of the line with the highest rank. */
function firstRanked(workspace: Workspace): number {
  const lines = workspace.read(ranking).split('\n')
  return lines.findIndex((line) => line.startsWith('| 1 |')) + 1
}

test('a line of a ranking leads to organism, adapter, prompt, tokens, layer, vector, contrast set and run', async () => {
  const workspace = await shown()
  const number = firstRanked(workspace)
  const [, , who, what] = (workspace.read(ranking).split('\n')[number - 1] as string).split('|').map((cell) => cell.trim()) as [
    string,
    string,
    string,
    string,
  ]
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

test('the mean on the page of an organism is that of the scores to which its line leads', async () => {
  const workspace = await shown()
  const page = 'experiments/audit/analysis/top_activating/organisms/beta.md'
  const lines = workspace.read(page).split('\n')
  const number = lines.findIndex((line) => line.startsWith('| rude |')) + 1
  const shownMean = Number((lines[number - 1] as string).split(' | ')[1])
  const nodes = await lineage(workspace, `${page}:${number}`)
  const count = (operation: string) => nodes.filter((node) => node.operation === operation).length
  expect(['rank-overview', 'rank', 'project', 'capture', 'extract', 'generate'].map(count)).toEqual([1, 2, 12, 12, 1, 6])
  const means: number[] = []
  for (const { task, cell } of nodes.filter(({ operation }) => operation === 'project')) {
    const slot = rows<{ slot: string }>(
      workspace,
      `SELECT slot FROM cells JOIN units ON units.id = unit WHERE task = '${task}' AND cell = '${cell}'`,
    )
    const { object, ...place } = JSON.parse((slot[0] as { slot: string }).slot) as Extract<Slot, { format: 'parquet' }>
    const scores = await numbersIn(objectFile(workspace, { object, offset: 0 }), { object, ...place })
    const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length
    means.push(task.endsWith('/answers') ? mean : -mean)
  }
  expect(means.reduce((sum, mean) => sum + mean, 0) / 6).toBeCloseTo(shownMean, 2)
})

test('a row of the overview leads to all that is known of its organism, and a pair of prompt sets to those two', async () => {
  const workspace = await shown()
  const overview = 'experiments/audit/analysis/top_activating/summary.md'
  const counts = async (start: string) => {
    const lines = workspace.read(overview).split('\n')
    const nodes = await lineage(workspace, `${overview}:${lines.findIndex((line) => line.startsWith(start)) + 1}`)
    return ['rank', 'project', 'generate'].map((operation) => nodes.filter((node) => node.operation === operation).length)
  }
  expect(await counts('| beta | **')).toEqual([4, 24, 6])
  expect(await counts('| gamma | rude | two | ')).toEqual([2, 12, 6])
  expect(await counts('Mean response_mean')).toEqual([4, 72, 18])
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

interface Reach {
  readonly what: string | null
  readonly revision: string | null
  readonly otherRevisions: readonly string[]
  readonly start: number
  readonly counts: readonly { operation: string; cells: number; tasks: number }[]
  readonly shown: readonly { task: string; cell: string }[]
}

async function reach(workspace: Workspace, artifact: string): Promise<Reach> {
  const { stdout, stderr } = await dag(workspace.folder, ['lineage', '--json', '--down', artifact])
  expect(stderr).toBe('')
  return JSON.parse(stdout) as Reach
}

const operations = ({ counts }: Reach) => Object.fromEntries(counts.map(({ operation, cells }) => [operation, cells]))

test('which rankings used this adapter: its answers, what was made from them, and the files that show it', async () => {
  const workspace = await shown()
  const adapter = await reach(workspace, 'adapter:alpha')
  expect([adapter.what, adapter.otherRevisions, adapter.start]).toEqual(['adapter alpha', [], 18])
  expect(operations(adapter)).toEqual({ capture: 12, project: 24, rank: 4, 'rank-overview': 1, 'report-answers': 2, report: 1 })
  expect(adapter.shown.map(({ task, cell }) => `${task}:${cell}`)).toEqual([
    'ranking/one:kind@2:mean_diff',
    'ranking/two:kind@2:mean_diff',
    'ranking/one:rude@2:mean_diff',
    'ranking/two:rude@2:mean_diff',
    'ranking/overview:overview',
    'report.answers/alpha/one:answers',
    'report.answers/alpha/two:answers',
    'report:report',
  ])
})

test('after a source changed, both of its revisions can be asked for, each with what it reached', async () => {
  const workspace = await shown()
  const before = await reach(workspace, 'trait:kind')
  workspace.edit('traits/kind.json', 'How lovely', 'How very lovely')
  await run(workspace)
  const now = await reach(workspace, 'trait:kind')
  expect([now.revision === before.revision, now.otherRevisions, now.start]).toEqual([false, [before.revision], before.start])
  expect(operations(now)).toEqual(operations(before))
  const former = await reach(workspace, `trait:kind@${before.revision?.slice(0, 8)}`)
  expect([former.revision, former.otherRevisions]).toEqual([before.revision, [now.revision]])
  expect(await reach(workspace, 'traits/kind.json')).toMatchObject({ what: 'trait kind', revision: now.revision })
})

test('a prompt reaches its answers and recordings of every organism, a task the cells of all its batches', async () => {
  const workspace = await shown()
  expect(operations(await reach(workspace, 'prompt:one/one_1'))).toEqual({
    capture: 12,
    project: 12,
    rank: 2,
    'rank-overview': 1,
    'report-answers': 3,
    report: 1,
  })
  expect(await reach(workspace, 'vectors/kind')).toMatchObject({ what: 'task vectors/kind', start: 4 })
})

test('a lineage tells what computed its cells: versions of what can change a result, and the machine that a model was on', async () => {
  const workspace = await shown()
  const ask = (flags: string[]) => dag(workspace.folder, ['lineage', ...flags, `${ranking}:${firstRanked(workspace)}`])
  const { makers } = JSON.parse((await ask(['--json'])).stdout) as LineageReport
  const asked = `
import json
from sidecar.methods.hello import versions
from sidecar.model.machine import machine_of
import torch
print(json.dumps([versions(), machine_of(torch.device("cpu"))]))`
  const [versions, machine] = JSON.parse(execFileSync(python, ['-c', asked], { encoding: 'utf8', cwd: root })) as [
    Maker['versions'],
    Omit<Maker, 'versions'>,
  ]
  expect(makers).toEqual([
    { maker: { versions: { node: process.versions.node } }, cells: { rank: 1 } },
    { maker: { versions }, cells: { project: 2 } },
    { maker: { versions, device: 'cpu', ...machine, kernels: true }, cells: { capture: 2, extract: 1, generate: 1 } },
  ])
  const { stdout } = await ask([])
  expect(stdout.slice(stdout.indexOf('computed by'))).toBe(`computed by
  ${makerText(makers[0]?.maker as Maker)}: 1 rank
  ${makerText(makers[1]?.maker as Maker)}: 2 project
  ${makerText(makers[2]?.maker as Maker)}: 2 capture, 1 extract, 1 generate
`)
})

test('a lineage as W3C PROV is read by the prov library, and says what was derived from what', async () => {
  const workspace = await shown()
  const { stdout } = await dag(workspace.folder, ['lineage', '--format', 'prov', `${ranking}:${firstRanked(workspace)}`])
  workspace.write('lineage.json', stdout)
  const activities = Object.keys((JSON.parse(stdout) as { activity: object }).activity)
  expect(activities.filter((name) => !/^batch:[0-9a-f]{64}$/.test(name))).toEqual([])
  expect(activities).toContain(`batch:${manifestOf(workspace, 'vectors/kind').slice(0, 64)}`)
  const read = `
import re, sys
from prov.model import ProvActivity, ProvAgent, ProvDerivation, ProvDocument, ProvEntity, ProvGeneration
document = ProvDocument.deserialize(sys.argv[1], format="json")
entities = {entity.identifier: entity for entity in document.get_records(ProvEntity)}
named = lambda relation, role: str(entities[next(v for k, v in relation.formal_attributes if k.localpart == role)].label)
edges = {f"{named(d, 'generatedEntity').split(':')[0]} < {named(d, 'usedEntity').split(':')[0]}" for d in document.get_records(ProvDerivation)}
generated = {next(v for k, v in g.formal_attributes if k.localpart == "entity") for g in document.get_records(ProvGeneration)}
cells = {name for name in entities if name.namespace.prefix == "cell"}
print(generated == cells, len(list(document.get_records(ProvActivity))) > 0, sorted(re.sub(" .*", "", str(a.label)) for a in document.get_records(ProvAgent)))
print(*sorted({re.sub("alpha|beta|gamma", "ORGANISM", edge) for edge in edges}), sep="\\n")
`
  const told = execFileSync(python, ['-c', read, workspace.at('lineage.json')], { encoding: 'utf8' }).trimEnd()
  expect(told).toBe(`True True ['dag', 'node', 'python', 'python']
answers.capture/ORGANISM/two < adapter ORGANISM
answers.capture/ORGANISM/two < answers/ORGANISM/two
answers.capture/ORGANISM/two < model tiny
answers/ORGANISM/two < adapter ORGANISM
answers/ORGANISM/two < model tiny
clean/ORGANISM/two < answers/ORGANISM/two
clean/ORGANISM/two < model tiny
experiments/audit/analysis/top_activating/behaviour/kind/two/across_organisms.json < ranking/two
experiments/audit/analysis/top_activating/behaviour/kind/two/by_organism/ORGANISM.json < ranking/two
experiments/audit/analysis/top_activating/behaviour/kind/two/summary.md < ranking/two
ranking/two < scores/ORGANISM/two/answers
ranking/two < scores/ORGANISM/two/clean
scores/ORGANISM/two/answers < answers.capture/ORGANISM/two
scores/ORGANISM/two/answers < vectors/kind
scores/ORGANISM/two/clean < clean/ORGANISM/two
scores/ORGANISM/two/clean < vectors/kind
vectors/kind < model tiny
vectors/kind < trait kind`)
})

test('an unknown source or revision is an error that says what the store holds', async () => {
  const workspace = await shown()
  const said = async (artifact: string) => (await dag(workspace.folder, ['lineage', artifact])).stderr.split('\n')[0]
  expect([await said('adapter:delta'), await said('adapter:alpha@0000')]).toEqual([
    'error: no run of this store has read the adapter "delta" [unknown-artifact]',
    'error: the store holds nothing of a revision of adapter alpha that begins with 0000 [unknown-artifact]',
  ])
})

test('an artifact that is not known is an error that says what can be named', async () => {
  const workspace = finishedWorkspace()
  const result = await dag(workspace.folder, ['lineage', 'nothing'])
  expect(result.code).toBe(2)
  expect(result.stderr).toBe(`error: nothing here is called "nothing" [unknown-artifact]
  hint: name a result file (file or file:line), a task or task:cell as \`dag plan\` and \`dag why\` print them, a source (adapter:NAME, model:NAME, prompt:SET/ID, trait:NAME, or its file), or the first digits of a key

1 error; nothing was started
`)
})
