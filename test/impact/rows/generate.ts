import { all, type Row, twin, workflow } from '../row.ts'
import { flipWeights } from '../edits.ts'
import { afterAnswers, afterSampled, withoutSet } from '../follows.ts'

const maxTokens = 'max_new_tokens: 6'
const answering = (line: string) => workflow(maxTokens, `${maxTokens}\n    ${line}`)

export const generateRows: readonly Row[] = [
  {
    of: 'generate.model',
    edit: 'a model with other weights',
    change: all(
      twin(flipWeights('models/twin')),
      workflow('models:', 'models:\n  twin: { source: ../models/twin, dtype: bfloat16 }'),
      workflow('kind: generate\n    model: tiny', 'kind: generate\n    model: twin'),
    ),
    made: { answers: [18, 'model.weights: digest → digest'] },
    follow: afterAnswers,
  },
  {
    of: 'generate.model',
    edit: 'a model of the same content',
    change: all(
      twin(),
      workflow('models:', 'models:\n  twin: { source: ../models/twin, dtype: bfloat16 }'),
      workflow('kind: generate\n    model: tiny', 'kind: generate\n    model: twin'),
    ),
  },
  {
    of: 'generate.organisms',
    edit: '`all` → `[alpha, beta]`',
    change: answering('organisms: [alpha, beta]'),
    made: {
      'ranking/one:*': [2, 'answers.gamma: digest → (none); clean.gamma: digest → (none); organism.gamma: digest → (none)'],
      'ranking/two:*': [2, 'answers.gamma: digest → (none); clean.gamma: digest → (none); organism.gamma: digest → (none)'],
    },
    follow: { 'ranking/overview:*': 1, report: 1 },
    total: 126,
  },
  {
    of: 'generate.prompts',
    edit: '`all` → `[one]`',
    change: answering('prompts: [one]'),
    ...withoutSet,
  },
  {
    of: 'generate.max_new_tokens',
    edit: '6 → 8',
    change: workflow('max_new_tokens: 6', 'max_new_tokens: 8'),
    made: { answers: [18, 'max_new_tokens: 6 → 8'] },
    follow: afterAnswers,
  },
  {
    of: 'generate.prefill',
    edit: 'none → `Well,`',
    change: answering('prefill: "Well,"'),
    made: { answers: [18, 'prefill: (none) → "Well,"'] },
    follow: afterAnswers,
  },
  {
    of: 'generate.temperature',
    edit: '0 → 0.7',
    change: answering('temperature: 0.7'),
    made: { answers: [18, 'seed: (none) → 0; temperature: 0 → 0.7; top_p: (none) → 1'] },
    follow: afterAnswers,
  },
  { of: 'generate.temperature', edit: 'the default, written out', change: answering('temperature: 0') },
  {
    of: 'generate.temperature',
    edit: '0.8 → 0',
    workflow: 'variants',
    change: workflow('temperature: 0.8', 'temperature: 0'),
    made: { sampled: [2, 'seed: 3 → (none); temperature: 0.8 → 0; top_p: 0.9 → (none)'] },
    follow: afterSampled,
  },
  {
    of: 'generate.top_p',
    edit: '0.9 → 0.95 when sampling',
    workflow: 'variants',
    change: workflow('top_p: 0.9', 'top_p: 0.95'),
    made: { sampled: [2, 'top_p: 0.9 → 0.95'] },
    follow: afterSampled,
  },
  { of: 'generate.top_p', edit: '1 → 0.9 at temperature 0', change: answering('top_p: 0.9') },
  {
    of: 'generate.samples',
    edit: '2 → 3',
    workflow: 'variants',
    change: workflow('samples: 2', 'samples: 3'),
    made: { 'twice/alpha/two:two_1+3': [1, 'new'] },
    total: 43,
  },
  { of: 'generate.samples', edit: 'the default, written out', change: answering('samples: 1') },
  {
    of: 'generate.seed',
    edit: '3 → 4 when sampling',
    workflow: 'variants',
    change: workflow('seed: 3', 'seed: 4'),
    made: { sampled: [2, 'seed: 3 → 4'] },
    follow: afterSampled,
  },
  { of: 'generate.seed', edit: '0 → 4 at temperature 0', change: answering('seed: 4') },
  {
    of: 'generate.commit_size',
    edit: 'absent → 4',
    change: workflow('batch_size: 2\n    capture', 'batch_size: 2\n    commit_size: 4\n    capture'),
  },
  { of: 'generate.batch_size', edit: '2 → 3', change: workflow('batch_size: 2\n    capture', 'batch_size: 3\n    capture') },
  {
    of: 'generate.capture.layers',
    edit: '`[1, 2]` → `[1-2]`',
    change: workflow('capture: &capture { layers: [1, 2] }', 'capture: &capture { layers: [1-2] }'),
  },
  {
    of: 'generate.capture.layers',
    edit: '`[1, 2]` → `[1, 2, 3]`',
    change: all(
      workflow('capture: &capture { layers: [1, 2] }', 'capture: { layers: [1, 2, 3] }'),
      workflow('capture: *capture', 'capture: { layers: [1, 2] }'),
    ),
    made: { 'answers.capture/*/*:*@3': [18, 'new'] },
    total: 200,
  },
  {
    of: 'generate.capture.layers',
    edit: '`[1, 2]` → `[2]`',
    change: all(
      workflow('capture: &capture { layers: [1, 2] }', 'capture: { layers: [2] }'),
      workflow('capture: *capture', 'capture: { layers: [1, 2] }'),
    ),
    total: 164,
  },
  {
    of: 'generate.capture.positions',
    edit: '`response` → `all`',
    change: all(
      workflow('capture: &capture { layers: [1, 2] }', 'capture: { layers: [1, 2], positions: all }'),
      workflow('capture: *capture', 'capture: { layers: [1, 2] }'),
    ),
    made: { 'answers.capture': [36, 'positions: "response" → "all"'] },
    follow: { 'scores/*/*/answers:*': 36, ranking: 5, 'report.answers': 6, report: 1 },
  },
  {
    of: 'generate.capture.raw',
    edit: '`keep` → `keep-int8`',
    change: all(
      workflow('capture: &capture { layers: [1, 2] }', 'capture: { layers: [1, 2], raw: keep-int8 }'),
      workflow('capture: *capture', 'capture: { layers: [1, 2] }'),
    ),
    made: { 'answers.capture': [36, 'raw: (none) → "keep-int8"'] },
    follow: { 'scores/*/*/answers:*': 36, ranking: 5, 'report.answers': 6, report: 1 },
  },
  {
    of: 'generate.capture.raw',
    edit: '`keep` → `evict-after-projection`',
    change: workflow('capture: &capture { layers: [1, 2] }', 'capture: &capture { layers: [1, 2], raw: evict-after-projection }'),
  },
  {
    of: 'generate.capture.raw',
    edit: '`keep` → `never`',
    change: all(
      workflow('capture: &capture { layers: [1, 2] }', 'capture: { layers: [1, 2], raw: never }'),
      workflow('capture: *capture', 'capture: { layers: [1, 2] }'),
    ),
    made: { 'scores/*/*/answers:*': [36, 'operation: "project" → "score"'] },
    follow: { ranking: 5, 'report.answers': 6, report: 1 },
    total: 146,
  },
]
