import { flipWeights } from '../edits.ts'
import { vectorFile } from '../../support/workspace.ts'
import { all, move, type Row, twin, workflow } from '../row.ts'

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
    total: 43,
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
    total: 43,
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
    total: 43,
  },
  {
    of: 'random.count',
    edit: '1 → 3',
    workflow: 'variants',
    change: noise('model: tiny, layers: [2], count: 1', 'model: tiny, layers: [2], count: 3'),
    made: { 'noise/random_2:*': [1, 'new'], 'noise/random_3:*': [1, 'new'] },
    total: 44,
  },
  {
    of: 'random.seed',
    edit: '7 → 8',
    workflow: 'variants',
    change: workflow('seed: 7', 'seed: 8'),
    made: { noise: [1, 'seed: 7 → 8'] },
  },
]

export const shiftRows: readonly Row[] = [
  {
    of: 'shift.of',
    edit: 'another replay of the same answers, whose recordings are kept as they are',
    workflow: 'variants',
    change: all(
      workflow('  moved:', '  again: { kind: replay, of: sampled, through: tiny, capture: { layers: [2], positions: all } }\n  moved:'),
      workflow('kind: shift, of: [sampled, through]', 'kind: shift, of: [sampled, again]'),
    ),
    made: { again: [2, 'new'] },
    follow: { moved: 1, alike: 1, spoken: 2 },
    total: 44,
  },
  {
    of: 'shift.prompts',
    edit: 'one of the prompt sets alone',
    change: workflow('steps:\n', 'steps:\n  moved: { kind: shift, of: [answers, clean], prompts: [one] }\n'),
    made: { moved: [6, 'new'] },
    total: 188,
  },
  {
    of: 'shift.layers',
    edit: 'a layer more, which both record then',
    workflow: 'variants',
    change: all(
      workflow('capture: { layers: [2], positions: all }', 'capture: { layers: [1, 2], positions: all }'),
      workflow('capture: { layers: [2], positions: all, raw: keep-int8 }', 'capture: { layers: [1, 2], positions: all, raw: keep-int8 }'),
      workflow('through], layers: [2] }', 'through], layers: [1, 2] }'),
    ),
    made: { 'sampled.capture/*/*:*@1': [2, 'new'], 'through/*/*:*@1': [2, 'new'] },
    follow: { 'moved/alpha:alpha@1:*': 1, alike: 1, spoken: 2 },
    total: 48,
  },
  {
    of: 'shift.layers',
    edit: 'those that both record, left out',
    workflow: 'variants',
    change: workflow('through], layers: [2] }', 'through] }'),
  },
]

export const compareRows: readonly Row[] = [
  {
    of: 'compare.of',
    edit: 'random directions too',
    workflow: 'variants',
    change: workflow('of: [directions, probes, moved]', 'of: [directions, probes, moved, noise]'),
    made: {
      alike: [
        1,
        'order: ["kind@2:mean_diff","kind@1:probe","kind@3:probe","alpha@…] → ["kind@2:mean_diff","kind@1:probe","kind@3:probe","alpha@…]; vectors.random_1@2:random: (none) → digest',
      ],
    },
  },
  {
    of: 'compare.methods',
    edit: '`[mean_diff, probe]` → `[probe]`',
    workflow: 'variants',
    change: workflow('moved], methods: [mean_diff, probe]', 'moved], methods: [probe]'),
    made: {
      alike: [
        1,
        'order: ["kind@2:mean_diff","kind@1:probe","kind@3:probe","alpha@…] → ["kind@1:probe","kind@3:probe","alpha@2:shift"]; vectors.kind@2:mean_diff: digest → (none)',
      ],
    },
  },
]

export const logitLensRows: readonly Row[] = [
  {
    of: 'logit_lens.model',
    edit: 'a model with other weights',
    workflow: 'variants',
    change: all(
      twin(flipWeights('models/twin')),
      workflow('models:', 'models:\n  twin: { source: ../models/twin, dtype: float32 }'),
      workflow('kind: logit_lens, model: tiny', 'kind: logit_lens, model: twin'),
    ),
    made: { 'spoken/tokens:*': [4, 'model.weights: digest → digest'] },
    follow: { 'spoken/summary:*': 1 },
  },
  {
    of: 'logit_lens.of',
    edit: 'random directions too',
    workflow: 'variants',
    change: workflow(
      'kind: logit_lens, model: tiny, of: [directions, probes, moved]',
      'kind: logit_lens, model: tiny, of: [directions, probes, moved, noise]',
    ),
    made: { 'spoken/tokens:random_1@2:random': [1, 'new'] },
    follow: { 'spoken/summary:*': 1 },
    total: 43,
  },
  {
    of: 'logit_lens.methods',
    edit: '`[mean_diff, probe]` → `[probe]`',
    workflow: 'variants',
    change: workflow('methods: [mean_diff, probe], by', 'methods: [probe], by'),
    made: {
      'spoken/summary:*': [
        1,
        'order: ["kind@2:mean_diff","kind@1:probe","kind@3:probe","alpha@…] → ["kind@1:probe","kind@3:probe","alpha@2:shift"]; tokens.kind@2:mean_diff: digest → (none)',
      ],
    },
    total: 41,
  },
  {
    of: 'logit_lens.by',
    edit: '`logit` → `cosine`',
    workflow: 'variants',
    change: workflow('by: logit', 'by: cosine'),
    made: { 'spoken/tokens:*': [4, 'by: "logit" → "cosine"'] },
    follow: { 'spoken/summary:*': 1 },
  },
  {
    of: 'logit_lens.top',
    edit: '3 → 4',
    workflow: 'variants',
    change: workflow('top: 3 }', 'top: 4 }'),
    made: { 'spoken/tokens:*': [4, 'top: 3 → 4'] },
    follow: { 'spoken/summary:*': 1 },
  },
]
