import { flipWeights } from '../edits.ts'
import { afterVectors, withoutTrait } from '../follows.ts'
import { contrastSet } from '../../support/workspace.ts'
import { all, type Row, twin, workflow, write } from '../row.ts'

const withTwin = all(twin(flipWeights('models/twin')), workflow('models:', 'models:\n  twin: { source: ../models/twin, dtype: bfloat16 }'))
const steps = (text: string) => workflow('steps:\n', `steps:\n${text}\n`)
const replayCapture = (capture: string) => workflow('capture: *capture', `capture: { ${capture} }`)
const extract = (old: string, now: string) => workflow(`kind: extract, model: tiny, ${old}`, `kind: extract, model: tiny, ${now}`)

export const replayRows: readonly Row[] = [
  {
    of: 'replay.of',
    edit: 'the answers of another step',
    workflow: 'variants',
    change: all(
      steps('  again: { kind: generate, model: tiny, organisms: [alpha], prompts: [one], max_new_tokens: 6, capture: { layers: [2] } }'),
      workflow('kind: replay, of: sampled', 'kind: replay, of: again'),
      workflow('kind: shift, of: [sampled', 'kind: shift, of: [again'),
    ),
    made: { again: [2, 'new'] },
    follow: { 'again.capture': 2, through: 2, 'lengths/*/*/through:*': 2, moved: 1, alike: 1, spoken: 2 },
    total: 46,
  },
  {
    of: 'replay.through',
    edit: 'a model with other weights',
    change: all(withTwin, workflow('through: tiny', 'through: twin')),
    made: { clean: [36, 'model.weights: digest → digest'] },
    follow: { 'scores/*/*/clean:*': 36, ranking: 5, 'report.answers': 6, report: 1 },
  },
  {
    of: 'replay.capture.layers',
    edit: '`[1, 2]` → `[1, 2, 3]`',
    change: replayCapture('layers: [1, 2, 3]'),
    made: { 'clean/*/*:*@3': [18, 'new'] },
    total: 200,
  },
  {
    of: 'replay.capture.positions',
    edit: '`response` → `all`',
    change: replayCapture('layers: [1, 2], positions: all'),
    made: { clean: [36, 'positions: "response" → "all"'] },
    follow: { 'scores/*/*/clean:*': 36, ranking: 5, 'report.answers': 6, report: 1 },
  },
  {
    of: 'replay.capture.raw',
    edit: '`keep` → `keep-int8`',
    change: replayCapture('layers: [1, 2], raw: keep-int8'),
    made: { clean: [36, 'raw: (none) → "keep-int8"'] },
    follow: { 'scores/*/*/clean:*': 36, ranking: 5, 'report.answers': 6, report: 1 },
  },
  {
    of: 'replay.capture.raw',
    edit: '`keep` → `evict-after-projection`',
    change: replayCapture('layers: [1, 2], raw: evict-after-projection'),
  },
  {
    of: 'replay.capture.raw',
    edit: '`keep` → `never`',
    change: replayCapture('layers: [1, 2], raw: never'),
    made: { 'scores/*/*/clean:*': [36, 'operation: "project" → "score"'] },
    follow: { ranking: 5, 'report.answers': 6, report: 1 },
    total: 146,
  },
  { of: 'replay.batch_size', edit: '2 → 3', change: workflow('capture: *capture, batch_size: 2', 'capture: *capture, batch_size: 3') },
]

export const extractRows: readonly Row[] = [
  {
    of: 'extract.model',
    edit: 'a model with other weights',
    change: all(withTwin, workflow('kind: extract, model: tiny', 'kind: extract, model: twin')),
    made: { vectors: [8, 'model.weights: digest → digest'] },
    follow: afterVectors,
  },
  {
    of: 'extract.traits',
    edit: '`all` → `[kind]`',
    change: extract('layers', 'traits: [kind], layers'),
    ...withoutTrait,
    total: 140,
  },
  {
    of: 'extract.layers',
    edit: '`[1, 2]` → `[1, 2, 3]`',
    change: extract('layers: [1, 2]', 'layers: [1, 2, 3]'),
    made: { 'vectors/*:*@3:*': [4, 'new'] },
    total: 186,
  },
  {
    of: 'extract.methods',
    edit: '`[mean_diff]` → `[mean_diff, probe]`',
    workflow: 'variants',
    change: workflow('methods: [mean_diff]\n', 'methods: [mean_diff, probe]\n'),
    made: { 'directions/kind:*:probe': [1, 'new'] },
    follow: { alike: 1, spoken: 2 },
    total: 44,
  },
  {
    of: 'extract.methods',
    edit: '`[mean_diff, probe]` → `[mean_diff]`',
    change: extract('layers: [1, 2]', 'layers: [1, 2], methods: [mean_diff]'),
    total: 178,
  },
  {
    of: 'extract.position',
    edit: '`response[:5]` → `response`',
    change: extract('layers', 'position: response, layers'),
    made: { vectors: [8, 'position: "response[:5]" → "response"'] },
    follow: afterVectors,
  },
  {
    of: 'extract.reference',
    edit: 'none → `unplain`, whose file says that it is no trait',
    change: all(
      write('traits/unplain.json', contrastSet('unplain', 'Well,', 'The answer is this:').replace('{', '{ "reference": true,')),
      extract('layers', 'reference: unplain, layers'),
    ),
    made: { vectors: [8, 'reference: (none) → digest'] },
    follow: afterVectors,
  },
  {
    of: 'extract.position',
    edit: '`response[:5]` → `prompt[-1]`, which asks no answers',
    workflow: 'elicited',
    change: workflow('max_new_tokens: 4', 'position: "prompt[-1]"'),
    made: { moods: [1, 'operation: "contrast" → "extract"'] },
    total: 1,
  },
  {
    of: 'extract.max_new_tokens',
    edit: '4 → 6',
    workflow: 'elicited',
    change: workflow('max_new_tokens: 4', 'max_new_tokens: 6'),
    made: { 'moods.answers': [9, 'max_new_tokens: 4 → 6'] },
    follow: { moods: 1 },
  },
  {
    of: 'extract.max_new_tokens',
    edit: '16 → 8, where all answers are written',
    change: workflow('kind: extract,', 'kind: extract, max_new_tokens: 8,'),
  },
  { of: 'extract.batch_size', edit: '2 → 3', workflow: 'elicited', change: workflow('batch_size: 2', 'batch_size: 3') },
  {
    of: 'extract.system_prompt',
    edit: 'none → `Be kind.`',
    change: extract('layers', 'system_prompt: Be kind., layers'),
    made: { vectors: [8, 'system_prompt: (none) → "Be kind."'] },
    follow: afterVectors,
  },
]

export const projectRows: readonly Row[] = [
  {
    of: 'project.of',
    edit: 'one more replay, through a model with other weights',
    workflow: 'variants',
    change: all(
      withTwin,
      steps('  twinned: { kind: replay, of: sampled, through: twin, capture: { layers: [2], positions: all } }'),
      workflow('project, of: [sampled, through]', 'project, of: [sampled, through, twinned]'),
    ),
    made: { twinned: [2, 'new'] },
    follow: { 'lengths/*/*/twinned:*': 2 },
    total: 46,
  },
  {
    of: 'project.of',
    edit: '`[sampled, through]` → `sampled`',
    workflow: 'variants',
    change: workflow('project, of: [sampled, through]', 'project, of: sampled'),
    total: 40,
  },
  {
    of: 'project.onto',
    edit: 'the vectors of another step',
    change: all(
      steps('  others: { kind: extract, model: tiny, layers: [2], position: response }'),
      workflow('onto: vectors', 'onto: others'),
    ),
    made: { others: [4, 'new'] },
    follow: afterVectors,
    total: 186,
  },
  {
    of: 'project.onto',
    edit: '`vectors` → `[vectors, noise]`, three random directions',
    change: all(steps('  noise: { kind: random, model: tiny, layers: [2] }'), workflow('onto: vectors', 'onto: [vectors, noise]')),
    made: { noise: [3, 'new'] },
    follow: { 'scores/*/*/*:*:random': 108, 'ranking/*:random*': 6, 'ranking/overview:*': 1, 'report.answers': 6, report: 1 },
    total: 299,
  },
  {
    of: 'project.traits',
    edit: '`all` → `[kind]`',
    change: workflow('onto: vectors', 'onto: vectors, traits: [kind]'),
    ...withoutTrait,
    total: 144,
  },
  {
    of: 'project.layers',
    edit: '`[2]` → `[1, 2]`',
    change: workflow('layers: [2] }', 'layers: [1, 2] }'),
    made: { 'scores/*/*/*:*@1:*': [72, 'new'] },
    follow: { 'ranking/*:*@1:*': 4, 'ranking/overview:*': 1, 'report.answers': 6, report: 1 },
    total: 258,
  },
  {
    of: 'project.layers.*',
    edit: '`[2]` → `{ kind: 2, rude: [1, 2] }`',
    change: workflow('layers: [2] }', 'layers: { kind: 2, rude: [1, 2] } }'),
    made: { 'scores/*/*/*:*@1:rude:*': [36, 'new'] },
    follow: { 'ranking/*:rude@1:*': 2, 'ranking/overview:*': 1, 'report.answers': 6, report: 1 },
    total: 220,
  },
  {
    of: 'project.layers',
    edit: '`[2]` → `{ kind: 2, rude: 2 }`, the same',
    change: workflow('layers: [2] }', 'layers: { kind: 2, rude: 2 } }'),
  },
  {
    of: 'project.methods',
    edit: '`[mean_diff]` → `[mean_diff, probe]`',
    change: workflow('onto: vectors', 'onto: vectors, methods: [mean_diff, probe]'),
    made: { 'scores/*/*/*:*:probe': [72, 'new'] },
    follow: { 'ranking/*:*:probe': 4, 'ranking/overview:*': 1, 'report.answers': 6, report: 1 },
    total: 258,
  },
  {
    of: 'project.centered',
    edit: '`false` → `true`',
    change: workflow('onto: vectors', 'onto: vectors, centered: true'),
    made: { scores: [72, 'baseline: (none) → number; centered: false → true'] },
    follow: { ranking: 5, 'report.answers': 6, report: 1 },
  },
]
