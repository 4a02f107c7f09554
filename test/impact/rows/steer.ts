import { flipWeights } from '../edits.ts'
import { all, type Row, twin, workflow } from '../row.ts'

const steered = (before: string, after: string) => workflow(`kind: steer\n    ${before}`, `kind: steer\n    ${after}`)
/** What the clean model reads of both answers, and what they say. */
const afterBoth = (who = 'alpha/two') => ({
  [`steered/${who}/read:*`]: 1,
  [`steered/${who}/@1/read:*`]: 1,
  'steered/effects:*': 1,
})

export const steerRows: readonly Row[] = [
  {
    of: 'steer.model',
    edit: 'a model with other weights',
    workflow: 'variants',
    change: all(
      twin(flipWeights('models/twin')),
      workflow('models:', 'models:\n  twin: { source: ../models/twin, dtype: float32 }'),
      steered('model: tiny', 'model: twin'),
    ),
    made: { 'steered/alpha/two:*': [1, 'model.weights: digest → digest'], 'steered/alpha/two/@1:*': [1, 'model.weights: digest → digest'] },
    follow: afterBoth(),
  },
  {
    of: 'steer.along',
    edit: 'random directions too, of a layer more',
    workflow: 'variants',
    change: all(workflow('along: probes', 'along: [probes, noise]'), workflow('layers: [1]\n    by', 'layers: [1, 2]\n    by')),
    made: { 'steered/alpha/two/@2:*': [1, 'new'], 'steered/alpha/two/read:*@2:*': [1, 'new'] },
    follow: { 'steered/alpha/two/@2/read:*': 1, 'steered/effects:*': 1 },
    total: 45,
  },
  {
    of: 'steer.methods',
    edit: '`[probe]` → `[mean_diff]` of another step',
    workflow: 'variants',
    change: all(
      workflow('along: probes\n    methods: [probe]\n    layers: [1]', 'along: directions\n    methods: [mean_diff]\n    layers: [2]'),
    ),
    made: { 'steered/alpha/two/@2:*': [1, 'new'], 'steered/alpha/two/read:*@2:*': [1, 'new'] },
    follow: { 'steered/alpha/two/@2/read:*': 1, 'steered/effects:*': 1 },
  },
  {
    of: 'steer.traits',
    edit: 'of random directions the second alone',
    workflow: 'variants',
    change: all(
      workflow('layers: [2], count: 1, seed: 7', 'layers: [1], count: 2, seed: 7'),
      workflow('along: probes\n', 'along: [probes, noise]\n    traits: [random_2]\n'),
    ),
    made: { 'noise/random_1:*': [1, 'new'], 'noise/random_2:*': [1, 'new'] },
    follow: { 'steered/alpha/two/@1:*': 1, ...afterBoth() },
    total: 43,
  },
  {
    of: 'steer.layers',
    edit: '`[1]` → `[1, 3]`',
    workflow: 'variants',
    change: workflow('layers: [1]\n    by', 'layers: [1, 3]\n    by'),
    made: { 'steered/alpha/two/@3:*': [1, 'new'], 'steered/alpha/two/read:*@3:*': [1, 'new'] },
    follow: { 'steered/alpha/two/@3/read:*': 1, 'steered/effects:*': 1 },
    total: 45,
  },
  {
    of: 'steer.by',
    edit: '−4 → −4 and 2',
    workflow: 'variants',
    change: workflow('by: [-4]', 'by: [-4, 2]'),
    made: { 'steered/alpha/two/@1:*~2': [1, 'new'] },
    follow: { 'steered/alpha/two/@1/read:*~2@*': 1, 'steered/effects:*': 1 },
    total: 44,
  },
  {
    of: 'steer.times',
    edit: 'in place of `by`, along a mean difference of another step',
    workflow: 'variants',
    change: workflow(
      'along: probes\n    methods: [probe]\n    layers: [1]\n    by: [-4]',
      'along: directions\n    methods: [mean_diff]\n    layers: [2]\n    times: [-1]',
    ),
    made: { 'steered/alpha/two/@2:*~-1x': [1, 'new'], 'steered/alpha/two/read:*@2:*': [1, 'new'] },
    follow: { 'steered/alpha/two/@2/read:*': 1, 'steered/effects:*': 1 },
  },
  {
    of: 'steer.organisms',
    edit: '`[alpha]` → none: the model without an adapter',
    workflow: 'variants',
    change: workflow('    organisms: [alpha]\n    prompts: [two]\n    limit', '    prompts: [two]\n    limit'),
    made: { 'steered/two:*': [1, 'new'], 'steered/two/@1:*': [1, 'new'] },
    follow: afterBoth('two'),
  },
  {
    of: 'steer.prompts',
    edit: '`[two]` → `[one]`',
    workflow: 'variants',
    change: workflow('prompts: [two]\n    limit', 'prompts: [one]\n    limit'),
    made: { 'steered/alpha/one:*': [1, 'new'], 'steered/alpha/one/@1:*': [1, 'new'] },
    follow: afterBoth('alpha/one'),
  },
  {
    of: 'steer.limit',
    edit: '1 → 2',
    workflow: 'variants',
    change: all(workflow('prompts: [two]\n    limit: 1', 'prompts: [one]\n    limit: 2')),
    made: { 'steered/alpha/one:*': [2, 'new'], 'steered/alpha/one/@1:*': [2, 'new'] },
    follow: { 'steered/alpha/one/read:*': 2, 'steered/alpha/one/@1/read:*': 2, 'steered/effects:*': 1 },
    total: 46,
  },
  {
    of: 'steer.max_new_tokens',
    edit: '3 → 5',
    workflow: 'variants',
    change: workflow('limit: 1\n    max_new_tokens: 3', 'limit: 1\n    max_new_tokens: 5'),
    made: { 'steered/alpha/two:*': [1, 'max_new_tokens: 3 → 5'], 'steered/alpha/two/@1:*': [1, 'max_new_tokens: 3 → 5'] },
    follow: afterBoth(),
  },
  { of: 'steer.batch_size', edit: '32 → 2', workflow: 'variants', change: steered('model: tiny', 'model: tiny\n    batch_size: 2') },
  { of: 'steer.commit_size', edit: '128 → 4', workflow: 'variants', change: steered('model: tiny', 'model: tiny\n    commit_size: 4') },
]
