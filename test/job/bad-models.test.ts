import { cpSync, renameSync, rmSync, truncateSync } from 'node:fs'
import { refuses } from '../support/complaint.ts'
import { type Workspace, workflowFile } from '../support/workspace.ts'

/** Puts a changed copy in the place of the model; `change` is given the names of its files. */
function ownModel(workspace: Workspace, change: (file: (name: string) => string) => void): void {
  cpSync(workspace.at('models/model'), workspace.at('own'), { recursive: true })
  workspace.edit(workflowFile, 'source: ../models/model', 'source: ../own')
  change((name) => `own/${name}`)
}

refuses([
  [
    'a model folder without weights',
    (w) => ownModel(w, (model) => rmSync(w.at(model('model.safetensors')))),
    `workflows/audit.yaml:3:19: error: model "tiny" (../own) cannot be loaded: its folder holds no safetensors weights [model-weights]
  3 |   tiny: { source: ../own, dtype: bfloat16 }
    |                   ^^^^^^

1 error; nothing was started
`,
  ],
  [
    'a model whose weights are pickled',
    (w) => ownModel(w, (model) => renameSync(w.at(model('model.safetensors')), w.at(model('pytorch_model.bin')))),
    `workflows/audit.yaml:3:19: error: model "tiny" (../own) cannot be loaded: its weights are pickled; only safetensors are loaded [model-weights]
  3 |   tiny: { source: ../own, dtype: bfloat16 }
    |                   ^^^^^^

1 error; nothing was started
`,
  ],
  [
    'a model with a shard that is missing',
    (w) => ownModel(w, (model) => w.write(model('model.safetensors.index.json'), '{"weight_map": {"a": "model-2.safetensors"}}')),
    `workflows/audit.yaml:3:19: error: model "tiny" (../own) cannot be loaded: model-2.safetensors is not there, which model.safetensors.index.json names [model-weights]
  3 |   tiny: { source: ../own, dtype: bfloat16 }
    |                   ^^^^^^

1 error; nothing was started
`,
  ],
  [
    'a model whose weights were cut off',
    (w) => ownModel(w, (model) => truncateSync(w.at(model('model.safetensors')), 100_000)),
    `workflows/audit.yaml:3:19: error: model "tiny" (../own) cannot be loaded: model.safetensors is damaged: tensor "model.embed_tokens.weight" lies outside the file [model-weights]
  3 |   tiny: { source: ../own, dtype: bfloat16 }
    |                   ^^^^^^

1 error; nothing was started
`,
  ],
])
