import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { ImportReport } from '../../engine/report/import-text.ts'
import { dag, run } from '../support/dag.ts'
import { exportedWorkspace } from '../support/experiment.ts'
import { python } from '../support/paths.ts'
import { workflowFile } from '../support/workspace.ts'

const recorded = (change: string) => `{**raw, "response": {**raw["response"], ${change}}}`
const states = (change: string) =>
  recorded(`"activations": {layer: {"residual": ${change}} for layer, own in raw["response"]["activations"].items()}`)

test('every file that cannot be trusted is named with what is wrong and what to do; the rest is taken', async () => {
  const workspace = await exportedWorkspace()
  const { editJson, editTorch, remove } = workspace
  editTorch('inference/alpha/raw/residual/one/one_1.pt', states('own["residual"][:-1]'))
  editJson('inference/alpha/responses/one/one_2.json', (answer) => ({ ...answer, tokens: (answer.tokens as string[]).slice(1) }))
  editTorch('inference/instruct/raw/residual/one_replay_alpha/one_3.pt', recorded('"token_ids": [*raw["response"]["token_ids"][:-1], 7]'))
  editTorch('inference/alpha/raw/residual/one/one_4.pt', recorded('"activations": {1: raw["response"]["activations"][1]}'))
  editTorch('inference/alpha/raw/residual/two/two_1.pt', states('own["residual"] / torch.zeros(1, 64)'))
  remove('inference/instruct/raw/residual/two_replay_alpha/two_2.pt')
  editJson('inference/beta/responses/one/one_1.json', (answer) => ({ ...answer, prompt_end: 999 }))
  editJson('inference/beta/responses/one/one_2.json', ({ token_ids: _ids, prompt: _prompt, ...answer }) => answer)
  editTorch('inference/beta/raw/residual/one/one_3.pt', states('own["residual"][:, :32].clone()'))
  remove('inference/beta/responses/one/one_4.json')
  editJson('inference/beta/responses/two/two_1.json', (answer) => ({ ...answer, prompt: 'Who am I?' }))
  workspace.write('theirs/inference/gamma/responses/one/one_9.json', workspace.read('theirs/inference/gamma/responses/one/one_1.json'))
  editTorch('extraction/behaviour/kind/instruct/vectors/response__5/residual/probe/layer1.pt', 'raw * 0')
  const { code, stdout, stderr } = await workspace.import('--to', workflowFile)
  expect([code, stderr]).toEqual([0, ''])
  expect(stdout).toBe(everyFinding)
  expect(workspace.read(workflowFile).split('\n').slice(10, 16)).toEqual(leftOut)
  const { code: done, finished } = await run(workspace)
  expect([done, finished.cells]).toEqual([0, { ran: 7 + 14 + 14 + 7 + 5 + 98 + 15 + 4, reused: 0, failed: 0 }])
})

const everyFinding = `theirs: 18 responses, 35 recordings, 8 vectors

left out: responses that hold no whole answer (3) [answer]
  inference/alpha/responses/one/one_2.json: it has 33 tokens and 34 token_ids
  inference/beta/responses/one/one_1.json: its prompt_end 999 is not before the last of 30 tokens
  inference/beta/responses/one/one_2.json: it lacks prompt, token_ids
  hint: copy the file from where it is whole, or let the organism answer again

warning: prompt sets that are not answered whole (1) [missing-prompt]
  inference/beta/responses/one: 3 of 4 prompts, without one_4
  hint: let the organism answer the missing prompts, or go on without

left out: answers to another text than the prompt has now (1) [other-prompt]
  inference/beta/responses/two/two_1.json: it answers "Who am I?", the set has "Who are you?"
  hint: the set was edited since: let the organism answer again; \`--accept other-prompt\` takes them all the same

left out: answers to prompts that their set does not have (1) [extra-prompt]
  inference/gamma/responses/one/one_9.json: the set "one" has no prompt "one_9"
  hint: they are of another version of the set: put the prompts back; \`--accept extra-prompt\` takes them all the same

left out: recordings that have not one state for each response token (1) [token-count]
  inference/alpha/raw/residual/one/one_1.pt: layer 1 has 5 states for 6 response tokens
  hint: decoding never feeds the last token: record by a pass over all token ids, with \`capture\` in the imported step and with a \`replay\` step

left out: recordings with values that are not finite (1) [not-finite]
  inference/alpha/raw/residual/two/two_1.pt: layer 1 is not finite at 6 of 6 tokens
  hint: float16 overflows on massive dimensions: record in bfloat16

warning: recordings without an answer (2) [no-answer]
  inference/beta/raw/residual/one/one_4.pt: there is no response of beta/one/one_4
  inference/instruct/raw/residual/one_replay_beta/one_4.pt: there is no response of beta/one/one_4
  hint: copy the response beside the others

left out: answers without a recording (3) [no-recording]
  gamma, of the organism: 1, the first inference/gamma/responses/one/one_9.json
  alpha, of the clean model: 1, the first inference/alpha/responses/two/two_2.json
  gamma, of the clean model: 1, the first inference/gamma/responses/one/one_9.json
  hint: record them; or record all anew: \`capture\` in place of \`recordings\` in the imported step, and a \`replay\` step

left out: recordings of other tokens than the answer's (1) [other-tokens]
  inference/instruct/raw/residual/one_replay_alpha/one_3.pt: its token ids are not those of the answer from response token 6 on
  hint: their text was tokenised again: replay the token ids, as a \`replay\` step does

left out: recordings that lack layers which the others have (1) [mixed-layers]
  alpha, of the organism, without layer 2: 1, the first inference/alpha/raw/residual/one/one_4.pt
  hint: record them again at the same layers as the others

left out: files of another size of state (1) [hidden]
  inference/beta/raw/residual/one/one_3.pt: its states have 32 values, those of the others 64
  hint: they are of another model

left out: vectors that cannot be taken (1) [vector]
  extraction/behaviour/kind/instruct/vectors/response__5/residual/probe/layer1.pt: it is zero or not finite: it has no direction
  hint: a vector file holds one tensor [hidden], finite and not zero

can be taken: 7 of 18 answers (2 organisms to 2 prompt sets), with layers 1, 2 of the organism and of the clean model; 7 of 8 vectors
written to workflows/audit.yaml; \`dag run workflows/audit.yaml\` takes it and loads no language model
`

const leftOut = [
  '    sets: [one, two]',
  '    leave_out:',
  '      - "beta/one/one_1" # inference/beta/responses/one/one_1.json: its prompt_end 999 is not before the last of 30 tokens',
  '      - "beta/one/one_2" # inference/beta/responses/one/one_2.json: it lacks prompt, token_ids',
  '      - "beta/one/one_3" # inference/beta/raw/residual/one/one_3.pt: its states have 32 values, those of the others 64',
  '      - "beta/two/two_1" # inference/beta/responses/two/two_1.json: it answers "Who am I?", the set has "Who are you?"',
]

test('a .pt file that would run code is left out, and the code is not run', async () => {
  const workspace = await exportedWorkspace()
  const file = 'inference/alpha/raw/residual/two/two_2.pt'
  workspace.write(
    'evil.py',
    `import os, torch
class Evil:
    def __reduce__(self):
        return os.mkdir, (${JSON.stringify(workspace.at('ran'))},)
torch.save({"response": Evil()}, ${JSON.stringify(workspace.at('theirs', file))})
`,
  )
  execFileSync(python, [workspace.at('evil.py')])
  const { code, stdout } = await workspace.import('--json')
  const { taken, findings, workflow } = JSON.parse(stdout) as ImportReport
  expect([code, taken.answers, workflow, existsSync(workspace.at('ran'))]).toEqual([0, 17, null, false])
  expect(findings).toEqual([
    {
      rule: 'recording',
      path: file,
      wrong: expect.stringMatching(/^it is no file of a recording \(Weights only load failed/),
      leavesOut: 'alpha/two/two_2',
      accepted: false,
    },
  ])
})

test('an answer without its end is left out unless it is accepted', async () => {
  const workspace = await exportedWorkspace()
  for (const name of ['inference/alpha/raw', 'inference/beta', 'inference/gamma', 'inference/instruct', 'extraction'])
    workspace.remove(name)
  workspace.editJson('inference/alpha/responses/one/one_1.json', ({ tokens, token_ids: ids, ...answer }) => ({
    ...answer,
    tokens: (tokens as string[]).slice(0, -1),
    token_ids: (ids as number[]).slice(0, -1),
  }))
  const { stdout } = await workspace.import()
  expect(stdout).toBe(`theirs: 6 responses, 0 recordings, 0 vectors

left out: answers that end early without an end token (1) [missing-end]
  inference/alpha/responses/one/one_1.json: it ends after 5 tokens without an end token; the longest has 6
  hint: text that is tokenised again loses it: let the organism answer again and keep the token ids; \`--accept missing-end\` takes them all the same

can be taken: 5 of 6 answers (1 organism to 2 prompt sets), with no recording; 0 of 0 vectors
`)
  const accepted = await workspace.import('--accept', 'missing-end')
  expect([accepted.code, accepted.stdout.split('\n').slice(2, 3), accepted.stdout.split('\n').at(-2)]).toEqual([
    0,
    ['accepted: answers that end early without an end token (1) [missing-end]'],
    'can be taken: 6 of 6 answers (1 organism to 2 prompt sets), with no recording; 0 of 0 vectors',
  ])
})

test('a side of which no recording can be trusted is not taken, and the answers are', async () => {
  const workspace = await exportedWorkspace()
  const folders = ['alpha', 'beta', 'gamma'].flatMap((name) => ['one', 'two'].map((set) => `inference/${name}/raw/residual/${set}`))
  const files = folders.flatMap((folder) => readdirSync(workspace.at('theirs', folder)).map((file) => `${folder}/${file}`))
  workspace.editTorch(files, states('own["residual"][:-1]'))
  const { code, stdout } = await workspace.import('--json', '--to', workflowFile)
  const { taken, findings } = JSON.parse(stdout) as ImportReport
  expect([code, taken.answers, taken.recordedOf, findings.length]).toEqual([0, 18, ['clean'], 18])
  expect(new Set(findings.map(({ rule, leavesOut }) => `${rule} ${leavesOut}`))).toEqual(new Set(['token-count null']))
  expect((await run(workspace)).finished.cells).toEqual({ ran: 18 + 36 + 8, reused: 0, failed: 0 })
})

test('nothing is written over, and where nothing can be taken nothing is written', async () => {
  const workspace = await exportedWorkspace()
  workspace.write(workflowFile, 'mine')
  const said = async (...args: string[]) => {
    const { code, stdout, stderr } = await dag(workspace.folder, ['import', 'trait-interp', ...args])
    return [code, stdout, stderr]
  }
  expect(await said('theirs', '--to', workflowFile)).toEqual([
    2,
    '',
    'error: workflows/audit.yaml is there already [file-there]\n  hint: name a new file with --to: nothing of yours is written over\n\n1 error; nothing was started\n',
  ])
  expect(await said('prompts')).toEqual([
    2,
    '',
    'error: prompts is no experiment of trait-interp: it has neither inference/ nor extraction/ [no-experiment]\n  hint: name the folder of one experiment, such as experiments/NAME\n\n1 error; nothing was started\n',
  ])
  for (const name of ['extraction', 'inference/alpha', 'inference/beta', 'inference/gamma']) workspace.remove(name)
  const [code, stdout] = await said('theirs', '--to', 'workflows/other.yaml')
  expect([code, (stdout as string).split('\n').at(-2)]).toEqual([2, 'nothing can be taken'])
  expect([workspace.read(workflowFile), existsSync(workspace.at('workflows/other.yaml'))]).toEqual(['mine', false])
})
