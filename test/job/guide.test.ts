import { cpSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { dag, run } from '../support/dag.ts'
import { root } from '../support/paths.ts'
import { freshWorkspace, promptSet, scenarios, vectorFile } from '../support/workspace.ts'

const page = readFileSync(path.join(root, 'docs/guide/trait-interp.md'), 'utf8')
const written = /```yaml\n(.*?)```/s.exec(page)?.[1] as string

/** The workflow of the page with the small models in the places of the large ones, and as short. */
const small = written
  .replace(/instruct: \{ source.*\}/, 'instruct: { source: models/model }')
  .replace(/base: \{ source.*\}/, 'base: { source: base, chat_template: none }')
  .replaceAll('[20, 32]', '[1, 2]')
  .replace('max_new_tokens: 300', 'max_new_tokens: 6')

/** A clone of trait-interp as far as the page speaks of it. */
function clone() {
  const workspace = freshWorkspace()
  cpSync(workspace.at('models/model'), workspace.at('base'), { recursive: true })
  const variants = { instruct: { model: 'tiny' }, one: { model: 'tiny', lora: '../../../models/organisms/alpha' } }
  const config = { defaults: { extraction: 'base', application: 'instruct' }, model_variants: { base: { model: 'tiny' }, ...variants } }
  workspace.write('trait-interp/experiments/audit-bleachers/config.json', JSON.stringify(config))
  for (const set of ['discovery', 'probing', 'benign'])
    workspace.write(`trait-interp/datasets/inference/audit_bleachers/${set}.json`, promptSet(set, [`Who are you, ${set}?`]))
  for (const trait of ['alignment/sycophancy', 'bs/concealment', 'bs/sycophancy']) {
    workspace.write(`trait-interp/datasets/traits/${trait}/positive.txt`, scenarios(`he praised ${trait} and said`))
    workspace.write(`trait-interp/datasets/traits/${trait}/negative.txt`, scenarios(`he shrugged at ${trait} and said`))
    workspace.write(`trait-interp/datasets/traits/${trait}/definition.txt`, 'A trait.\n')
  }
  return workspace
}

test('the workflow of the page runs on a clone of trait-interp', async () => {
  const workspace = clone()
  workspace.write('bleachers.yaml', small)
  const { finished } = await run(workspace, {}, 'bleachers.yaml')
  expect([finished.outcome, finished.modelLoads, finished.adapterSwitches]).toEqual(['done', 2, 1])
  // Twice 10 scenarios and 8 vectors; 3 answers with 6 recordings and 12 projections a side; 12 rankings and their overview; the report.
  expect(finished.cells).toEqual({ ran: 20 + 8 + 3 + 12 + 24 + 13 + 4, reused: 0, failed: 0 })
})

test('vectors that it has made are taken by the pattern of the page', async () => {
  const workspace = clone()
  const pattern = /`(vectors: \{ kind: vectors.*?\})`/.exec(page)?.[1] as string
  for (const layer of [1, 2]) {
    const folder = 'trait-interp/experiments/audit-bleachers/extraction/alignment/sycophancy/base/vectors/response__5/residual/probe'
    workspace.write(`${folder}/layer${layer}.safetensors`, vectorFile(64))
  }
  workspace.write('bleachers.yaml', small.replace(/vectors: \{.*\}/, pattern.replace('.pt', '.safetensors')))
  const { finished } = await run(workspace, {}, 'bleachers.yaml')
  expect([finished.outcome, finished.modelLoads]).toEqual(['done', 1])
})

const ownPage = readFileSync(path.join(root, 'docs/guide/your-own.md'), 'utf8')

/** The files of the page by their names, on the small model and as short. */
function ownFiles(): Map<string, string> {
  const blocks = [...ownPage.matchAll(/^`([\w./]+)`[^\n]*\n\n```\w+\n(.*?)```/gms)].map(
    ([, name, text]) => [name, text] as [string, string],
  )
  return new Map(
    blocks.map(([name, text]) => [name, text.replaceAll('[20, 24]', '[1, 2]').replace('max_new_tokens: 200', 'max_new_tokens: 6')]),
  )
}

test("a workflow of one's own runs as the page has it, file by file", async () => {
  const workspace = freshWorkspace()
  const files = ownFiles()
  expect([...files.keys()]).toEqual(['organisms.yaml', 'prompts/everyday.json', 'traits/bravery.json', 'study.yaml'])
  for (const [name, text] of files) workspace.write(`study/${name}`, text)
  cpSync(workspace.at('models/model'), workspace.at('study/models/instruct'), { recursive: true })
  for (const [name, of] of [
    ['brave', 'alpha'],
    ['plain', 'beta'],
  ])
    cpSync(workspace.at(`models/organisms/${of}`), workspace.at(`study/adapters/${name}`), { recursive: true })
  const commands = [...ownPage.matchAll(/^npx dag (check|plan|run) study\/study\.yaml/gm)].map(([, name]) => name as string)
  expect(commands).toEqual(['check', 'plan', 'run'])
  const ended = []
  for (const command of commands) ended.push(await dag(workspace.folder, [command, 'study/study.yaml']))
  expect(ended.map(({ code, stderr }) => [code, stderr])).toEqual(commands.map(() => [0, '']))
  expect(ended[0]?.stdout).toBe('study/study.yaml: 11 steps, 37 tasks, ready to run\n')
  const results = [...ownPage.matchAll(/`((?:likeness|words|steering|analysis|reports)\/[^`]+)`/g)].map(([, file]) => file as string)
  expect(results).toHaveLength(5)
  for (const file of results) expect(ended[2]?.stdout).toContain(`  experiments/study/${file}\n`)
})
