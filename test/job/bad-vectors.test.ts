import { refuses } from '../support/complaint.ts'
import { vectorFile, type Workspace, workflowFile } from '../support/workspace.ts'

function withVectors(workspace: Workspace): void {
  const step = '  given: { kind: vectors, model: tiny, files: "../mine/{trait}/layer{layer}.safetensors" }'
  workspace.edit(workflowFile, 'steps:\n', `steps:\n${step}\n`)
}

refuses([
  [
    'vectors of another length than a state',
    (w) => {
      withVectors(w)
      w.write('mine/calm/layer2.safetensors', vectorFile(63))
    },
    `workflows/audit.yaml:8:47: error: step "given": vector calm@2:given has 63 numbers, and a state of the residual stream has 64 [vector-length]
  8 |   given: { kind: vectors, model: tiny, files: "../mine/{trait}/layer{layer}.safetensors" }
    |                                               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  hint: it is of another model

1 error; nothing was started
`,
  ],
  [
    'a vectors file that is cut off',
    (w) => {
      withVectors(w)
      w.write('mine/calm/layer2.safetensors', vectorFile(64).subarray(0, 200))
    },
    `workflows/audit.yaml:8:47: error: step "given" reads ../mine/calm/layer2.safetensors, which cannot be used: tensor "vector" lies outside the file [damaged-file]
  8 |   given: { kind: vectors, model: tiny, files: "../mine/{trait}/layer{layer}.safetensors" }
    |                                               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

1 error; nothing was started
`,
  ],
  [
    'vectors of a model of another size',
    (w) => {
      w.edit(workflowFile, 'models:\n', 'models:\n  other: { source: ../models/other }\n')
      w.edit(workflowFile, 'kind: extract, model: tiny', 'kind: extract, model: other')
    },
    `workflows/audit.yaml:17:56: error: step "scores": the vectors have 32 numbers, and what step "answers" records of model "tiny" has 64 [vectors-of-another-model]
  17 |   scores: { kind: project, of: [answers, clean], onto: vectors, layers: [2] }
     |                                                        ^^^^^^^
  hint: take vectors of a model of the same size

1 error; nothing was started
`,
  ],
  [
    'two files of the same vector',
    (w) => {
      w.edit(workflowFile, 'steps:\n', 'steps:\n  given: { kind: vectors, model: tiny, files: "../mine/*/{trait}{layer}.safetensors" }\n')
      for (const part of ['a', 'b']) w.write(`mine/${part}/calm2.safetensors`, vectorFile(64))
    },
    `workflows/audit.yaml:8:47: error: step "given": two files match as vector calm@2:given [pattern]
  8 |   given: { kind: vectors, model: tiny, files: "../mine/*/{trait}{layer}.safetensors" }
    |                                               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

1 error; nothing was started
`,
  ],
])
