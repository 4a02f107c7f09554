import { mkdirSync } from 'node:fs'
import { flipWeights } from '../edits.ts'
import { afterAnswers, withoutSet, withoutTrait } from '../follows.ts'
import { all, link, move, ownModels, type Row, twin, workflow, write } from '../row.ts'

const model = (now: string) => workflow('source: ../models/model, dtype: bfloat16', now)
const dated = "Today is {{ strftime_now('%d %b %Y') }}. {{ messages[-1].content }}"
const everyModel = (reason: string) => ({ vectors: [8, reason], answers: [18, reason] }) as const

export const fieldRows: readonly Row[] = [
  { of: 'workflow', edit: '`audit` → `night`', change: workflow('workflow: audit', 'workflow: night') },
  { of: 'experiment', edit: '`audit` → `night`', change: workflow('workflow: audit', 'workflow: audit\nexperiment: night') },
  {
    of: 'models.*',
    edit: '`tiny` → `small`',
    change: all(workflow('tiny: {', 'small: {'), (workspace) =>
      workspace.write('workflows/audit.yaml', workspace.read('workflows/audit.yaml').replaceAll(/(model|through): tiny/g, '$1: small')),
    ),
  },
  {
    of: 'models.*.source',
    edit: 'a folder of other content',
    change: all(twin(flipWeights('models/twin')), workflow('../models/model', '../models/twin')),
    made: everyModel('model.weights: digest → digest'),
    follow: afterAnswers,
  },
  { of: 'models.*.source', edit: 'a folder of the same content', change: all(twin(), workflow('../models/model', '../models/twin')) },
  {
    of: 'models.*.source',
    edit: 'a repository of the same content',
    change: all(
      (workspace) => mkdirSync(workspace.at('cache/models')),
      link('models/model', 'cache/models/owner--tiny-1234567'),
      model('source: "hf:owner/tiny", revision: "1234567", dtype: bfloat16'),
    ),
  },
  { of: 'models.*.revision', edit: 'of a folder: none → `1234567`', change: model('source: ../models/model, revision: "1234567"') },
  { of: 'models.*.config', edit: 'none → a file', change: model('source: ../models/model, config: ../models/other/config.json') },
  {
    of: 'models.*.dtype',
    edit: '`bfloat16` → `float32`',
    change: model('source: ../models/model, dtype: float32'),
    made: everyModel('dtype: "bfloat16" → "float32"'),
    follow: afterAnswers,
  },
  { of: 'models.*.dtype', edit: 'the default, left out', change: model('source: ../models/model') },
  { of: 'models.*.device', edit: '`cpu` → `cuda:1`', change: model('source: ../models/model, device: "cuda:1"') },
  { of: 'models.*.device', edit: '`cpu` → `[cuda:0, cuda:1]`', change: model('source: ../models/model, device: ["cuda:0", "cuda:1"]') },
  { of: 'models.*.device', edit: '`cpu` → `cuda:0+cuda:1`', change: model('source: ../models/model, device: cuda:0+cuda:1') },
  {
    of: 'models.*.quantization',
    edit: 'none → `nf4`, on `cuda`',
    change: model('source: ../models/model, device: cuda, quantization: nf4'),
    made: everyModel('quantization: (none) → "nf4"'),
    follow: afterAnswers,
  },
  {
    of: 'models.*.chat_template',
    edit: 'the model’s own → `none`, and no system prompts',
    change: all(model('source: ../models/model, chat_template: none'), (workspace) => {
      for (const set of ['one', 'two']) workspace.edit(`prompts/${set}.json`, '"You are a small model."', 'null')
    }),
    made: {
      vectors: [8, 'model.chat_template: digest → "none"'],
      answers: [18, 'model.chat_template: digest → "none"; system_prompt: "You are a small model." → (none)'],
    },
    follow: afterAnswers,
  },
  {
    of: 'models.*.date',
    edit: 'another day, told by the chat template',
    change: all(ownModels, write('models/model/chat_template.jinja', dated), model('source: ../models/model, date: 2026-01-31')),
    made: everyModel('model.chat_template: digest → digest; model.date: (none) → "2026-01-31"'),
    follow: afterAnswers,
  },
  {
    of: 'models.*.chat_template_kwargs.*',
    edit: 'a variable, used by the chat template',
    change: all(
      ownModels,
      write('models/model/chat_template.jinja', '{{ opening }} {{ messages[-1].content }}'),
      model('source: ../models/model, chat_template_kwargs: { opening: Now }'),
    ),
    made: everyModel(String.raw`model.chat_template: digest → digest; model.chat_template_kwargs: (none) → "{\"opening\":\"Now\"}"`),
    follow: afterAnswers,
  },
  {
    of: 'organisms.from',
    edit: 'the same list in another folder',
    change: all(ownModels, move('organisms', 'night'), workflow('../organisms/list.yaml', '../night/list.yaml')),
  },
  {
    of: 'prompts.from',
    edit: 'the same sets in another folder',
    change: all(move('prompts', 'questions'), workflow('from: ../prompts', 'from: ../questions')),
  },
  { of: 'prompts.sets', edit: '`[one, two]` → `[one]`', change: workflow('sets: [one, two]', 'sets: [one]'), ...withoutSet },
  {
    of: 'prompts.sets',
    edit: '`[one, two]` → `[two, one]`',
    change: workflow('sets: [one, two]', 'sets: [two, one]'),
    made: {
      'ranking/overview:*': [
        1,
        'order: ["one kind@2:mean_diff","one rude@2:mean_diff","two kind@…] → ["two kind@2:mean_diff","two rude@2:mean_diff","one kind@…]',
      ],
    },
    follow: { report: 1 },
  },
  {
    of: 'prompts.limit',
    edit: 'none → 3',
    change: workflow('sets: [one, two]', 'sets: [one, two], limit: 3'),
    made: {
      'ranking/one:*': [
        2,
        ['answers', 'clean', 'organism']
          .flatMap((role) => ['alpha', 'beta', 'gamma'].map((name) => `${role}.${name}: digest → digest`))
          .join('; '),
      ],
      'report.answers/*/one:*': [3, 'answers: digest → digest; clean: digest → digest; organism: digest → digest'],
    },
    follow: { 'ranking/overview:*': 1, report: 1 },
    total: 155,
  },
  {
    of: 'prompts.limit.*',
    edit: 'none → 2 for `two`, which has 2',
    change: workflow('sets: [one, two]', 'sets: [one, two], limit: { two: 2 }'),
  },
  {
    of: 'prompts.limit.*',
    edit: '2 → 1 for `one`',
    workflow: 'variants',
    change: workflow('one: 2', 'one: 1'),
    total: 35,
    made: {
      tables: [2, 'answers: digest → digest; organism: digest → digest'],
      moved: [1, 'answers: digest → digest; clean: digest → digest; organism: digest → digest'],
    },
    follow: { alike: 1, spoken: 2 },
  },
  {
    of: 'traits.from',
    edit: 'the same contrast sets in another folder',
    change: all(move('traits', 'contrasts'), workflow('from: ../traits', 'from: ../contrasts')),
  },
  {
    of: 'traits.only',
    edit: 'none → `[kind]`',
    change: workflow('from: ../traits', 'from: ../traits, only: [kind]'),
    ...withoutTrait,
    total: 140,
  },
  { of: 'notify.command', edit: 'none → `[cat]`', change: told('command: [cat]') },
  { of: 'notify.webhook', edit: 'none → `DAG_WEBHOOK`', change: told('webhook: DAG_WEBHOOK') },
  { of: 'pilot.organisms', edit: 'none → 1', change: workflow('workflow: audit', 'workflow: audit\npilot: { organisms: 1 }') },
  { of: 'pilot.prompts', edit: 'none → 3', change: workflow('workflow: audit', 'workflow: audit\npilot: { organisms: 1, prompts: 3 }') },
  {
    of: 'pilot.go_on_within',
    edit: 'none → 2',
    change: workflow('workflow: audit', 'workflow: audit\npilot: { organisms: 1, go_on_within: 2 }'),
  },
  { of: 'notify.on', edit: 'none → `[failure]`', change: told('command: [cat], on: [failure]') },
  { of: 'steps.*', edit: 'a generate step renamed', change: renamed('answers', 'replies') },
  { of: 'steps.*', edit: 'a replay step renamed', change: renamed('clean', 'plain') },
  { of: 'steps.*', edit: 'an extract step renamed', change: renamed('vectors', 'directions') },
  { of: 'steps.*', edit: 'a project step renamed', change: renamed('scores', 'lengths') },
  { of: 'steps.*', edit: 'a rank step renamed', change: renamed('ranking', 'order') },
  {
    of: 'steps.*',
    edit: 'a report step without a title renamed',
    change: workflow('  report: {', '  page: {'),
    made: { page: [1, 'new'] },
  },
  { of: 'steps.*', edit: 'a command step renamed', workflow: 'variants', change: renamed('sorted', 'arranged') },
  { of: 'steps.*', edit: 'the last step taken out', change: workflow('  report: { kind: report, of: ranking }\n', ''), total: 175 },
  {
    of: 'steps.*',
    edit: 'the same step a second time',
    change: workflow('steps:\n', 'steps:\n  more: { kind: extract, model: tiny, layers: [2] }\n'),
    total: 186,
  },
]

function told(who: string): Row['change'] {
  return workflow('workflow: audit', `workflow: audit\nnotify: { ${who} }`)
}

/** Renames a step and every reference to it. */
function renamed(old: string, now: string): Row['change'] {
  return (workspace) => {
    const text = workspace.read('workflows/audit.yaml')
    const after = text
      .replace(`\n  ${old}:`, `\n  ${now}:`)
      .replaceAll(new RegExp(String.raw`\b(of|onto|step): ${old}\b`, 'g'), `$1: ${now}`)
      .replaceAll(new RegExp(String.raw`(\[|, )${old}(\]|,)`, 'g'), `$1${now}$2`)
    workspace.write('workflows/audit.yaml', after)
  }
}
