import { vectorFile } from '../../support/workspace.ts'
import { all, move, type Row, workflow } from '../row.ts'

export const vectorsRows: readonly Row[] = [
  {
    of: 'vectors.model',
    edit: 'a model of another size, with a vector of it',
    workflow: 'variants',
    change: all(
      workflow('models:', 'models:\n  other: { source: ../models/other, dtype: bfloat16 }'),
      workflow('kind: vectors, model: tiny', 'kind: vectors, model: other'),
      (workspace) => workspace.write('given/kind/probe/layer2.safetensors', vectorFile(32)),
    ),
    made: { given: [1, 'file: digest → digest; hidden: 64 → 32'] },
  },
  {
    of: 'vectors.hidden',
    edit: 'another number, in place of `model`, with a vector of it',
    workflow: 'variants',
    change: all(workflow('kind: vectors, model: tiny', 'kind: vectors, hidden: 32'), (workspace) =>
      workspace.write('given/kind/probe/layer2.safetensors', vectorFile(32)),
    ),
    made: { given: [1, 'file: digest → digest; hidden: 64 → 32'] },
  },
  {
    of: 'vectors.hidden',
    edit: 'that of the model, in place of `model`',
    workflow: 'variants',
    change: workflow('kind: vectors, model: tiny', 'kind: vectors, hidden: 64'),
  },
  {
    of: 'vectors.leave_out',
    edit: 'one taken after all',
    workflow: 'variants',
    change: workflow(', leave_out: ["kind@3:probe"]', ''),
    made: { 'given/kind:kind@3:*': [1, 'new'] },
    total: 31,
  },
  {
    of: 'vectors.files',
    edit: 'a file of other content',
    workflow: 'variants',
    change: all(
      (workspace) => workspace.write('others/kind/probe/layer2.safetensors', vectorFile(64, 5)),
      workflow('../given/{trait}', '../others/{trait}'),
    ),
    made: { given: [1, 'file: digest → digest'] },
  },
  {
    of: 'vectors.files',
    edit: 'the same file in another folder',
    workflow: 'variants',
    change: all(move('given', 'elsewhere'), workflow('../given/{trait}', '../elsewhere/{trait}')),
  },
  {
    of: 'vectors.files',
    edit: 'one more file',
    workflow: 'variants',
    change: (workspace) => workspace.write('given/rude/probe/layer2.safetensors', vectorFile(64, 5)),
    made: { 'given/rude:*': [1, 'new'] },
    total: 31,
  },
]

const noise = (from: string, to: string) => workflow(`kind: random, ${from}`, `kind: random, ${to}`)

export const randomRows: readonly Row[] = [
  {
    of: 'random.model',
    edit: 'a model of another size',
    workflow: 'variants',
    change: all(
      workflow('models:', 'models:\n  other: { source: ../models/other, dtype: bfloat16 }'),
      noise('model: tiny', 'model: other'),
    ),
    made: { noise: [1, 'hidden: 64 → 32'] },
  },
  {
    of: 'random.hidden',
    edit: 'another number, in place of `model`',
    workflow: 'variants',
    change: noise('model: tiny', 'hidden: 32'),
    made: { noise: [1, 'hidden: 64 → 32'] },
  },
  { of: 'random.hidden', edit: 'that of the model, in place of `model`', workflow: 'variants', change: noise('model: tiny', 'hidden: 64') },
  {
    of: 'random.layers',
    edit: '`[2]` → `[1, 2]`',
    workflow: 'variants',
    change: noise('model: tiny, layers: [2]', 'model: tiny, layers: [1, 2]'),
    made: { 'noise/random_1:random_1@1:random': [1, 'new'] },
    total: 31,
  },
  {
    of: 'random.count',
    edit: '1 → 3',
    workflow: 'variants',
    change: noise('model: tiny, layers: [2], count: 1', 'model: tiny, layers: [2], count: 3'),
    made: { 'noise/random_2:*': [1, 'new'], 'noise/random_3:*': [1, 'new'] },
    total: 32,
  },
  {
    of: 'random.seed',
    edit: '7 → 8',
    workflow: 'variants',
    change: workflow('seed: 7', 'seed: 8'),
    made: { noise: [1, 'seed: 7 → 8'] },
  },
]
