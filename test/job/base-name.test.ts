import { cpSync } from 'node:fs'
import { expect, test } from 'vitest'
import { dag } from '../support/dag.ts'
import { finishedWorkspace, type Workspace, workflowFile } from '../support/workspace.ts'

const revision = '0123456789abcdef0123456789abcdef01234567'
const repository = 'meta-llama/Llama-3.3-70B-Instruct'

/** The finished workspace with its model under the name of a repository, and what each adapter says of its base. */
function workspaceWith(bases: Readonly<Record<string, string>>): Workspace {
  const workspace = finishedWorkspace()
  cpSync(workspace.at('models/model'), workspace.at('cache/models', `${repository.replace('/', '--')}-${revision}`), { recursive: true })
  workspace.edit(workflowFile, 'source: ../models/model', `source: "hf:${repository}", revision: "${revision}"`)
  for (const [organism, base] of Object.entries(bases)) {
    cpSync(workspace.at('models/organisms', organism), workspace.at('organisms', organism), { recursive: true })
    workspace.edit('organisms/list.yaml', `../models/organisms/${organism}`, organism)
    workspace.edit(`organisms/${organism}/adapter_config.json`, '"base_model_name_or_path": "tiny"', `"base_model_name_or_path": "${base}"`)
  }
  return workspace
}

test('adapters that say they were trained on another model are told once, in plan and run, and run all the same', async () => {
  const other = 'unsloth/Meta-Llama-3.1-70B-Instruct-bnb-4bit'
  const workspace = workspaceWith({ alpha: other, beta: other, gamma: 'unsloth/Llama-3.3-70B-Instruct-bnb-4bit' })
  const warning = `organisms/list.yaml:2:21: warning: organism "alpha": its adapter_config.json says that it was trained on "${other}", and model "tiny" is "${repository}"; so it is with 2 organisms [base-name]
  2 |   alpha: { adapter: alpha }
    |                     ^^^^^
  hint: its shape fits, so it runs; on another base it may not show what it was trained to do

`
  const planned = await dag(workspace.folder, ['plan', workflowFile])
  expect([planned.code, planned.stderr]).toEqual([0, warning])
  const { code, stdout, stderr } = await dag(workspace.folder, ['run', workflowFile])
  expect([code, stderr]).toEqual([0, warning])
  expect(stdout).toContain('nothing to do: all 42 tasks, 182 cells, are up to date\n')
})

test('mirrors, quantized copies and folders are not taken for another model', async () => {
  const bases = { alpha: 'unsloth/Llama-3.3-70B-Instruct', beta: '/data/Llama-3.1-70B', gamma: 'someone/llama-70b' }
  const { code, stderr } = await dag(workspaceWith(bases).folder, ['plan', workflowFile])
  expect([code, stderr]).toEqual([0, ''])
})
