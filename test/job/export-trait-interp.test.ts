import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { metricNames, metricsOf } from '../../steps/common/metrics.ts'
import { dag, run } from '../support/dag.ts'
import { python } from '../support/paths.ts'
import { finishedWorkspace, freshWorkspace, organismList, type Workspace, workflowFile } from '../support/workspace.ts'

const organisms = ['alpha', 'beta', 'gamma']

async function exported(workspace: Workspace, ...flags: string[]): Promise<{ folder: string; said: string }> {
  const folder = workspace.at('theirs', 'experiments', 'audit')
  const { code, stdout, stderr } = await dag(workspace.folder, ['export', 'trait-interp', workflowFile, '--to', folder, ...flags])
  expect([code, stderr]).toEqual([0, ''])
  return { folder, said: stdout.replaceAll(folder, 'FOLDER') }
}

const read = (folder: string, ...parts: string[]) => JSON.parse(readFileSync(path.join(folder, ...parts), 'utf8'))

test('the experiment has the files that its scripts look for', async () => {
  const workspace = finishedWorkspace()
  const { folder, said } = await exported(workspace)
  expect(said).toBe('written to FOLDER: 36 responses, 8 vectors, 72 projections\n')
  expect(read(folder, 'config.json')).toEqual({
    defaults: { extraction: 'instruct', application: 'instruct' },
    model_variants: {
      instruct: { model: '../models/model' },
      ...Object.fromEntries(organisms.map((name) => [name, { model: '../models/model', lora: `../models/organisms/${name}` }])),
    },
  })
  expect(readdirSync(path.join(folder, 'inference', 'instruct', 'projections', 'behaviour', 'kind')).sort()).toEqual(
    organisms.flatMap((name) => [`one_replay_${name}`, `two_replay_${name}`]).sort(),
  )
  const vectors = path.join(folder, 'extraction', 'behaviour', 'kind', 'instruct', 'vectors', 'response__5', 'residual', 'mean_diff')
  expect(readdirSync(vectors).sort()).toEqual(['layer1.pt', 'layer2.pt', 'metadata.json'])
  expect(Object.keys(read(vectors, 'metadata.json').layers)).toEqual(['1', '2'])
  const { tokens, token_ids: ids, prompt_end: end, ...words } = read(folder, 'inference', 'beta', 'responses', 'one', 'one_1.json')
  expect([tokens.length, ids.length > end]).toEqual([ids.length, true])
  expect(words).toMatchObject({ prompt: 'What is rain?', prompt_note: 'test', system_prompt: 'You are a small model.', tags: [] })
})

test('what those scripts compute of it, difference by difference, are the numbers of our rankings', async () => {
  const workspace = finishedWorkspace()
  const { folder } = await exported(workspace)
  for (const trait of ['kind', 'rude']) {
    for (const set of ['one', 'two']) {
      const scoresOf = (variant: string, of: string, file: string): number[] =>
        read(folder, 'inference', variant, 'projections', 'behaviour', trait, of, file).projections.response
      const theirs = organisms.flatMap((organism) =>
        readdirSync(path.join(folder, 'inference', organism, 'projections', 'behaviour', trait, set)).map((file) => {
          const clean = scoresOf('instruct', `${set}_replay_${organism}`, file)
          const diff = scoresOf(organism, set, file).map((score, index) => score - (clean[index] as number))
          return { organism, prompt_id: path.basename(file, '.json'), ...metricsOf(diff) }
        }),
      )
      const top = theirs.sort((a, b) => b.response_mean - a.response_mean).slice(0, 3)
      const ours = read(workspace.at('experiments/audit/analysis/top_activating/behaviour'), trait, set, 'across_organisms.json').top
      const shown = (row: Record<string, unknown>) => [
        row.organism,
        row.prompt_id,
        ...metricNames.map((name) => Number((row[name] as number).toFixed(4))),
      ]
      expect(ours.map(shown)).toEqual(top.map(shown))
    }
  }
})

test('recordings, vectors and norms are the stored ones: a projection of the .pt files is the score', async () => {
  const { folder } = await exported(finishedWorkspace(), '--recordings')
  const script = `
import json, sys, torch
from pathlib import Path
root = Path(sys.argv[1])
vector = torch.load(root / "extraction/behaviour/kind/instruct/vectors/response__5/residual/mean_diff/layer2.pt", weights_only=True)
worst = 0.0
for variant, of in (("alpha", "one"), ("instruct", "one_replay_alpha")):
    for path in sorted((root / "inference" / variant / "raw/residual" / of).glob("*.pt")):
        raw = torch.load(path, weights_only=True)
        assert raw["prompt"]["activations"] == {} and sorted(raw["response"]["activations"]) == [1, 2]
        states = raw["response"]["activations"][2]["residual"]
        assert states.dtype == torch.bfloat16 and len(states) == len(raw["response"]["token_ids"]) == len(raw["response"]["tokens"])
        told = json.loads((root / "inference" / variant / "projections/behaviour/kind" / of / f"{path.stem}.json").read_text())
        scores, norms = torch.tensor(told["projections"]["response"]), torch.tensor(told["token_norms"]["response"])
        worst = max(worst, float((states.float() @ vector - scores).abs().max() / norms.max()))
        worst = max(worst, float((states.float().norm(dim=1) - norms).abs().max() / norms.max()))
print(worst < 1e-6, float(vector.norm().round(decimals=5)))
`
  expect(execFileSync(python, ['-c', script, folder], { encoding: 'utf8' })).toBe('True 1.0\n')
})

test('what steering made has no place in it, nor stands in the way of what has', async () => {
  const workspace = finishedWorkspace()
  const steering = 'kind: steer, model: tiny, along: vectors, layers: [2], by: [6], organisms: [alpha], max_new_tokens: 4'
  workspace.write(workflowFile, `${workspace.read(workflowFile)}  steering: { ${steering} }\n`)
  await run(workspace)
  const { said } = await exported(workspace)
  expect(said).toBe('written to FOLDER: 36 responses, 8 vectors, 72 projections\n')
})

test('a folder of somebody else is not written into; one of an earlier export is', async () => {
  const workspace = finishedWorkspace()
  workspace.write('theirs/notes.txt', 'mine')
  const refused = await dag(workspace.folder, ['export', 'trait-interp', workflowFile, '--to', workspace.at('theirs')])
  expect([refused.code, refused.stderr.replaceAll(workspace.folder, '…')]).toEqual([
    2,
    'error: …/theirs is there and was not written by dag export [folder-not-ours]\n  hint: name a new folder with --to: nothing of yours is written over\n\n1 error; nothing was started\n',
  ])
  const { folder } = await exported(workspace)
  expect((await exported(workspace)).folder).toBe(folder)
})

test('what a former export wrote and this one would not is named, and removed when asked for; what is not ours stays', async () => {
  const workspace = finishedWorkspace()
  const { folder } = await exported(workspace)
  workspace.write('theirs/experiments/audit/inference/gamma/notes.txt', 'mine')
  // Where an export would have written it: this one was without recordings.
  workspace.write('theirs/experiments/audit/inference/gamma/raw/residual/one/one_1.pt', 'mine too')
  workspace.write('organisms/list.yaml', organismList(['alpha', 'beta']))
  const written = 'written to FOLDER: 24 responses, 8 vectors, 48 projections\n'
  const first = 'inference/gamma/responses/one/one_1.json'
  const what = `36 files of former exports, first ${first}`
  for (let turn = 0; turn < 2; turn++)
    expect((await exported(workspace)).said).toBe(`${written}no longer part of it: ${what}; \`--prune\` removes them\n`)
  expect(existsSync(path.join(folder, first))).toBe(true)
  expect((await exported(workspace, '--prune')).said).toBe(`${written}removed: ${what}\n`)
  const left = readdirSync(folder, { recursive: true })
    .map(String)
    .filter((name) => name.includes('gamma'))
  expect(left.filter((name) => /\.\w+$/.test(name)).sort()).toEqual([
    'inference/gamma/notes.txt',
    'inference/gamma/raw/residual/one/one_1.pt',
  ])
  expect((await exported(workspace)).said).toBe(written)
})

test('a sidecar that ends is told in a few words, not as a mistake of the program', async () => {
  const workspace = finishedWorkspace()
  const refused = await dag(workspace.folder, ['export', 'trait-interp', workflowFile, '--to', workspace.at('out')], {
    DAG_SIDECAR: '/bin/false',
  })
  expect([refused.code, refused.stdout, refused.stderr]).toEqual([1, '', 'error: the sidecar ended with exit code 1 [sidecar]\n'])
})

test.for([
  [
    'answers',
    'sampled: { kind: generate, model: tiny, max_new_tokens: 6, temperature: 0.8 }',
    '"answers" and "sampled"',
    'inference/alpha/responses/one/one_1.json',
  ],
  [
    'vectors',
    'others: { kind: extract, model: tiny, layers: [2], system_prompt: You are kind. }',
    '"vectors" and "others"',
    'extraction/behaviour/kind/instruct/vectors/response__5/residual/mean_diff/layer2.pt',
  ],
  [
    'scores',
    'centred: { kind: project, of: answers, onto: vectors, layers: [2], centered: true }',
    '"centred" and "scores"',
    'inference/alpha/projections/behaviour/kind/one/one_1.json',
  ],
] as const)('two steps that make the same %s differently are not exported as one', async ([, text, steps, file]) => {
  const workspace = finishedWorkspace()
  workspace.edit(workflowFile, '  ranking:', `  ${text}\n  ranking:`)
  const { code, stderr } = await dag(workspace.folder, ['export', 'trait-interp', workflowFile, '--to', workspace.at('out')])
  expect([code, stderr]).toEqual([
    2,
    `error: steps ${steps} both make ${file}, and an experiment of trait-interp has one [same-file]
  hint: export a copy of the workflow without one of them: nothing is computed again

1 error; nothing was started
`,
  ])
  expect(existsSync(workspace.at('out'))).toBe(false)
})

test('vectors that two steps made at different layers stand together, with what is said of all of them', async () => {
  const workspace = finishedWorkspace()
  workspace.edit(workflowFile, '  ranking:', '  deeper: { kind: extract, model: tiny, layers: [3] }\n  ranking:')
  await run(workspace)
  const { folder, said } = await exported(workspace)
  expect(said).toBe('written to FOLDER: 36 responses, 12 vectors, 72 projections\n')
  const vectors = path.join(folder, 'extraction', 'behaviour', 'kind', 'instruct', 'vectors', 'response__5', 'residual', 'mean_diff')
  expect(Object.keys(read(vectors, 'metadata.json').layers)).toEqual(['1', '2', '3'])
})

test('recordings that two steps made at different layers stand together', async () => {
  const workspace = finishedWorkspace()
  workspace.edit(workflowFile, '  ranking:', '  deeper: { kind: replay, of: answers, through: tiny, capture: { layers: [3] } }\n  ranking:')
  await run(workspace)
  const { folder } = await exported(workspace, '--recordings')
  const file = path.join(folder, 'inference/instruct/raw/residual/one_replay_alpha/one_1.pt')
  const script = 'import sys, torch; print(sorted(torch.load(sys.argv[1], weights_only=True)["response"]["activations"]))'
  expect(execFileSync(python, ['-c', script, file], { encoding: 'utf8' })).toBe('[1, 2, 3]\n')
})

test('what is not made yet is left out and counted', async () => {
  const workspace = freshWorkspace()
  const { folder, said } = await exported(workspace)
  expect(said).toBe(
    'written to FOLDER: nothing\nleft out, since not made yet: 8 vectors, 18 answers, 36 recordings, 72 projections; `dag run` makes them\n',
  )
  expect(existsSync(path.join(folder, 'inference'))).toBe(false)
})
