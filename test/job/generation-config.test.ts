import { expect, test } from 'vitest'
import { ownModels } from '../impact/row.ts'
import { dag } from '../support/dag.ts'
import { freshWorkspace, workflowFile } from '../support/workspace.ts'

test('settings by which `generate()` picks other tokens are told; those that do nothing, or are for sampling alone, are not', async () => {
  const workspace = freshWorkspace()
  ownModels(workspace)
  const set = (settings: object) =>
    workspace.write(
      'models/model/generation_config.json',
      JSON.stringify({ ...(JSON.parse(workspace.read('models/model/generation_config.json')) as object), ...settings }),
    )
  set({ repetition_penalty: 1, no_repeat_ngram_size: 0, suppress_tokens: null, do_sample: true, temperature: 0.7, top_k: 20 })
  expect((await dag(workspace.folder, ['plan', workflowFile])).stderr).toBe('')
  set({ repetition_penalty: 1.05, suppress_tokens: [1, 2] })
  const { code, stderr } = await dag(workspace.folder, ['plan', workflowFile])
  expect([code, stderr]).toEqual([
    0,
    `workflows/audit.yaml:3:19: warning: the generation_config.json of model "tiny" has repetition_penalty 1.05, suppress_tokens [1,2], without which answers are made here [generation-config]
  3 |   tiny: { source: ../models/model, dtype: bfloat16 }
    |                   ^^^^^^^^^^^^^^^
  hint: transformers' \`generate()\` heeds it: its answers are others; here the workflow alone says how tokens are picked

`,
  ])
})
