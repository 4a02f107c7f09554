import { expect, test } from 'vitest'
import { dag } from '../support/dag.ts'
import { exportedWorkspace } from '../support/experiment.ts'
import { workflowFile } from '../support/workspace.ts'

const responses = '"../theirs/inference/{organism}/responses/{set}/{prompt}.json"'
const recordings = '"../theirs/inference/{organism}/raw/residual/{set}/{prompt}.pt"'

test.for([
  ['no answers', 'recordings: "../theirs/{organism}/{set}/{prompt}.pt", layers: [2], hidden: 64', 'it names no answers'],
  [
    'no layers',
    `responses: ${responses}, recordings: "../theirs/{organism}/{set}/{prompt}.pt", hidden: 64`,
    'it does not say which layers are taken',
  ],
  ['no size', `responses: ${responses}, recordings: ${recordings}, layers: [2]`, 'it lacks the length of a state'],
  [
    'recordings twice',
    `responses: ${responses}, recordings: ${recordings}, layers: [2], capture: { layers: [2] }`,
    '"capture" records answers that have no recordings',
  ],
  [
    'nothing to put organisms on',
    `responses: ${responses}, capture: { layers: [2] }`,
    'it does not say on which model the organisms are put',
  ],
  ['a pattern without prompts', 'responses: "../theirs/{organism}/{set}.json"', '"responses" lacks {prompt}'],
  [
    'an answer that is not there',
    `responses: ${responses}, leave_out: [alpha/one/one_7]`,
    '"alpha/one/one_7" is in no name of the files of "responses"',
  ],
  [
    'answers without recordings',
    `responses: ${responses}, recordings: "../theirs/inference/{organism}/raw/residual/t{set}/{prompt}.pt", layers: [2], hidden: 64`,
    '18 answers have no recording, the first alpha/one/one_1',
  ],
] as const)('a step with %s is refused with its place', async ([, params, message]) => {
  const workspace = await exportedWorkspace()
  workspace.write(workflowFile, `workflow: audit\nsteps:\n  theirs: { kind: imported, organisms: [alpha, beta, gamma], ${params} }\n`)
  const { code, stderr } = await dag(workspace.folder, ['plan', workflowFile])
  expect([code, stderr]).toEqual([2, expect.stringContaining(`error: step "theirs": ${message}`)])
})
