import { cpSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { run } from '../support/dag.ts'
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
