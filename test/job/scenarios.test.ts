import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { elicited } from '../support/paths.ts'
import { dag, plan, run } from '../support/dag.ts'
import { answersOf } from '../support/stored.ts'
import { finishedWorkspace, freshWorkspace, organismList, scenarios, workflowFile } from '../support/workspace.ts'

const chatted = `workflow: audit
models: { tiny: { source: ../models/model } }
organisms: { from: ../organisms/list.yaml }
prompts: { from: ../prompts, sets: [two] }
traits: { from: ../scenarios }
steps:
  vectors: { kind: extract, model: tiny, layers: [1, 2], methods: [mean_diff], system_prompt: Be brief., max_new_tokens: 5 }
  answers: { kind: generate, model: tiny, max_new_tokens: 5, capture: &c { layers: [2] } }
  clean: { kind: replay, of: answers, through: tiny, capture: *c }
  scores: { kind: project, of: [answers, clean], onto: vectors, layers: [2] }
  ranking: { kind: rank, of: scores }
`

test('the clean model answers the scenarios of both sides, and its answers make vectors onto which organisms are projected', async () => {
  const workspace = freshWorkspace()
  workspace.write('organisms/list.yaml', organismList(['alpha']))
  const asked = ['noon', 'night', 'dawn', 'last'].map((time) => ({
    prompt: `It is ${time}.`,
    system_prompt: time === 'noon' ? 'Shout.' : null,
  }))
  workspace.write('scenarios/moods/calm/negative.jsonl', asked.map((line) => `${JSON.stringify(line)}\n`).join(''))
  workspace.write(workflowFile, chatted)
  const report = await plan(workspace)
  expect([report.cells.total, report.modelLoads, report.adapterSwitches]).toEqual([5 + 4 + 2 + 2 + 2 + 2 + 4 + 2, 1, 1])
  const { finished } = await run(workspace)
  expect([finished.outcome, finished.cells]).toEqual(['done', { ran: 23, reused: 0, failed: 0 }])
  const answers = answersOf(workspace, 'vectors.answers/calm/negative')
  expect(
    answers.map(({ prompt, system_prompt }) => ({ prompt, system_prompt: system_prompt === 'Be brief.' ? null : system_prompt })),
  ).toEqual(asked)
  expect(answers.every(({ token_ids, prompt_end }) => token_ids.length - prompt_end <= 5)).toBe(true)
  expect(existsSync(workspace.at('experiments/audit/analysis/top_activating/moods/calm/two/summary.md'))).toBe(true)
})

test('a scenario more is answered alone, and its trait gets new vectors; lineage leads from them to its line', async () => {
  const workspace = finishedWorkspace(elicited)
  workspace.edit('scenarios/moods/calm/positive.txt', '\n\n', '\nThe lake lay still, and she felt\n')
  expect((await plan(workspace)).reasons.map(({ text }) => text)).toEqual([
    '+1 prompt `positive_6`: 1 elicited answer, then up to 1 vector',
  ])
  const { finished } = await run(workspace)
  expect(finished.cells).toEqual({ ran: 2, reused: 9, failed: 0 })
  const { stdout: down } = await dag(workspace.folder, ['lineage', '--down', 'trait:calm'])
  expect(down.split('\n').slice(0, 2)).toEqual(['trait calm: 10 cells', 'used by 2 contrast of 1 task'])
  const { stdout: up } = await dag(workspace.folder, ['lineage', 'moods/calm:calm@2:mean_diff'])
  expect(up).toContain('from elicit (10 cells)')
  expect(up).toContain('prompt: "The lake lay still, and she felt"')
})

test('what was made of a file of scenarios is told by its name, each side for itself', async () => {
  const workspace = finishedWorkspace(elicited)
  const down = async (what: string) => (await dag(workspace.folder, ['lineage', '--down', what])).stdout.split('\n')[0]
  expect([await down('scenarios/moods/calm/positive.txt'), await down('scenarios/moods/calm/negative.txt')]).toEqual([
    'trait calm: 5 cells',
    'trait calm: 4 cells',
  ])
  expect(await down('trait:calm')).toBe('trait calm: 9 cells')
})

test('a scenario that is edited is told with its line', async () => {
  const workspace = finishedWorkspace(elicited)
  workspace.edit('scenarios/moods/calm/positive.txt', 'At dawn the sea', 'At dawn the lake')
  const { stdout } = await dag(workspace.folder, ['why', workflowFile, 'moods.answers/calm/positive'])
  expect(stdout).toContain('scenarios/moods/calm/positive.txt:3:1')
})

test('vectors of scenarios, and what was answered to them, stand in an exported experiment where its scripts look for them', async () => {
  const workspace = finishedWorkspace(elicited)
  const folder = workspace.at('theirs-again')
  const { code, stdout } = await dag(workspace.folder, ['export', 'trait-interp', workflowFile, '--to', folder])
  expect([code, stdout.replaceAll(folder, 'FOLDER')]).toEqual([0, 'written to FOLDER: 1 vector\n'])
  expect(existsSync(`${folder}/extraction/moods/calm/instruct/vectors/response__5/residual/mean_diff/layer2.pt`)).toBe(true)
  const negative = JSON.parse(readFileSync(`${folder}/extraction/moods/calm/instruct/responses/neg.json`, 'utf8'))
  const answers = answersOf(workspace, 'moods.answers/calm/negative')
  expect(negative).toEqual(answers.map(({ prompt, response, system_prompt }) => ({ prompt, response, system_prompt })))
  expect(negative.map(({ prompt }: { prompt: string }) => prompt)).toEqual(
    scenarios('the sirens screamed and she felt', ['noon', 'night', 'dawn', 'last']).trimEnd().split('\n'),
  )
})

test('vectors of a base of their own stand beside those of the clean model in an exported experiment', async () => {
  const workspace = finishedWorkspace()
  workspace.edit(workflowFile, 'models:\n', 'models:\n  raw: { source: ../models/model, chat_template: none }\n')
  workspace.edit(
    workflowFile,
    'steps:\n',
    'steps:\n  more: { kind: extract, model: raw, traits: [kind], layers: [3], methods: [mean_diff] }\n',
  )
  const { finished } = await run(workspace)
  expect(finished.cells.ran).toBe(1)
  const folder = workspace.at('theirs-again')
  await dag(workspace.folder, ['export', 'trait-interp', workflowFile, '--to', folder])
  const vectors = (variant: string) => `${folder}/extraction/behaviour/kind/${variant}/vectors/response__5/residual/mean_diff`
  expect([readdirSync(vectors('base')), readdirSync(vectors('instruct'))]).toEqual([
    ['layer3.pt', 'metadata.json'],
    ['layer1.pt', 'layer2.pt', 'metadata.json'],
  ])
  const { defaults, model_variants } = JSON.parse(readFileSync(`${folder}/config.json`, 'utf8'))
  expect([defaults, model_variants.base]).toEqual([{ extraction: 'base', application: 'instruct' }, { model: '../models/model' }])
})

test('where prompts end, vectors are made without an answer', async () => {
  const workspace = finishedWorkspace(elicited)
  workspace.edit(workflowFile, 'max_new_tokens: 4', 'position: "prompt[-1]"')
  const { finished } = await run(workspace)
  expect(finished.cells).toEqual({ ran: 1, reused: 0, failed: 0 })
  workspace.edit('scenarios/moods/calm/negative.txt', 'At noon', 'At midnight')
  const [reason, ...others] = (await plan(workspace)).reasons
  expect([reason?.text, others]).toEqual(['contrast set `calm` edited: 1 vector', []])
  const { stdout } = await dag(workspace.folder, ['why', workflowFile, 'moods/calm'])
  expect(stdout).toContain('scenarios/moods/calm/negative.txt:1:1')
  const folder = workspace.at('theirs-again')
  await run(workspace)
  await dag(workspace.folder, ['export', 'trait-interp', workflowFile, '--to', folder])
  expect(readdirSync(`${folder}/extraction/moods/calm/instruct/vectors`)).toEqual(['prompt_-1'])
})
