import { organismList } from '../../support/workspace.ts'
import { flipWeights, json } from '../edits.ts'
import { afterAlpha, afterAnswers, afterPrompt, afterRankings } from '../follows.ts'
import { all, file, link, move, ownModels, type Row, write } from '../row.ts'

interface PromptSet {
  readonly prompts: readonly { readonly id: string }[]
}

const names = ['alpha', 'beta', 'gamma']
const inRoles = (roles: readonly string[], organisms: readonly string[], change: string) =>
  roles.flatMap((role) => organisms.map((organism) => `${role}.${organism}: ${change}`)).join('; ')
const everyRole = ['answers', 'clean', 'organism']
const rankings = (reason: string) => ({ 'ranking/one:*': [2, reason], 'ranking/two:*': [2, reason] }) as const
const rankingOne = {
  'ranking/one:*': [2, inRoles(everyRole, names, 'digest → digest')],
  'report.answers/*/one:*': [3, 'answers: digest → digest; clean: digest → digest; organism: digest → digest'],
} as const

export const promptRows: readonly Row[] = [
  {
    of: "a prompt's text",
    edit: 'one word',
    change: file('prompts/one.json', 'What is rain?', 'What is hail?'),
    made: { 'answers/*/one:one_1': [3, 'prompt: "What is rain?" → "What is hail?"'] },
    follow: afterPrompt('one', 'one_1'),
  },
  {
    of: "a prompt's id",
    edit: '`one_1` → `rain`',
    change: file('prompts/one.json', '"one_1"', '"rain"'),
    made: rankingOne,
    follow: afterRankings,
  },
  { of: "a prompt's note", edit: 'another', change: file('prompts/one.json', '"note": "test"', '"note": "of the night"') },
  {
    of: 'prompts',
    edit: 'one added',
    change: json<PromptSet>('prompts/two.json', (set) => ({ ...set, prompts: [...set.prompts, { id: 'two_3', text: 'Why?' }] })),
    made: { 'answers/*/two:two_3': [3, 'new'] },
    follow: afterPrompt('two', 'two_3'),
    total: 209,
  },
  {
    of: 'prompts',
    edit: 'the last one removed',
    change: json<PromptSet>('prompts/one.json', (set) => ({ ...set, prompts: set.prompts.slice(0, 3) })),
    made: rankingOne,
    follow: afterRankings,
    total: 155,
  },
  {
    of: 'prompts',
    edit: 'reordered',
    change: json<PromptSet>('prompts/one.json', (set) => ({ ...set, prompts: set.prompts.toReversed() })),
    made: rankingOne,
    follow: afterRankings,
  },
  {
    of: 'system prompt of a set',
    edit: 'another',
    change: file('prompts/two.json', 'You are a small model.', 'You are a model.'),
    made: { 'answers/*/two:*': [6, 'system_prompt: "You are a small model." → "You are a model."'] },
    follow: {
      'answers.capture/*/two:*': 12,
      'clean/*/two:*': 12,
      'scores/*/two/*:*': 24,
      'ranking/two:*': 2,
      'ranking/overview:*': 1,
      'report.answers/*/two:*': 3,
      report: 1,
    },
  },
  {
    of: "a prompt's own system prompt",
    edit: 'none → one',
    change: file('prompts/one.json', '"id": "one_1"', '"system_prompt": "You are curt.", "id": "one_1"'),
    made: { 'answers/*/one:one_1': [3, 'system_prompt: "You are a small model." → "You are curt."'] },
    follow: afterPrompt('one', 'one_1'),
  },
  {
    of: "a prompt's own prefill",
    edit: 'none → one',
    change: file('prompts/one.json', '"id": "one_1"', '"prefill": "Rain", "id": "one_1"'),
    made: { 'answers/*/one:one_1': [3, 'prefill: (none) → "Rain"'] },
    follow: afterPrompt('one', 'one_1'),
  },
  {
    of: 'what was said before a prompt',
    edit: 'nothing → two turns',
    change: file(
      'prompts/one.json',
      '"text": "What is rain?"',
      '"messages": [{ "role": "user", "content": "Hello." }, { "role": "assistant", "content": "Hello!" }, { "role": "user", "content": "What is rain?" }]',
    ),
    made: {
      'answers/*/one:one_1': [3, 'earlier: (none) → [{"role":"user","content":"Hello."},{"role":"assistant","…]'],
    },
    follow: afterPrompt('one', 'one_1'),
  },
  {
    of: 'form of a prompt file',
    edit: 'conversations of one message in place of texts',
    change: (workspace) => {
      const set = JSON.parse(workspace.read('prompts/two.json')) as { prompts: { id: string; text: string }[] }
      const prompts = set.prompts.map(({ text, ...rest }) => ({ ...rest, messages: [{ role: 'user', content: text }] }))
      workspace.write('prompts/two.json', JSON.stringify({ ...set, prompts }))
    },
  },
  {
    of: 'form of a prompt file',
    edit: 'the list alone, of prompts with system prompts of their own, and `prompt` for `text`',
    change: (workspace) => {
      const { prompts, system_prompt } = JSON.parse(workspace.read('prompts/two.json')) as {
        prompts: { id: string; text: string }[]
        system_prompt: string
      }
      const list = prompts.map(({ id, text }) => ({ id, prompt: text, system_prompt }))
      workspace.write('prompts/two.json', JSON.stringify(list))
    },
  },
  { of: 'name and description of a set', edit: 'another', change: file('prompts/two.json', 'of the tests', 'of the night') },
  {
    of: 'form of a prompt file',
    edit: 'one line',
    change: (workspace) => workspace.write('prompts/one.json', JSON.stringify(JSON.parse(workspace.read('prompts/one.json')))),
  },
]

export const organismRows: readonly Row[] = [
  {
    of: 'organisms',
    edit: 'one added',
    change: write('organisms/list.yaml', organismList([...names, 'delta'])),
    made: { 'answers/delta/*:*': [6, 'new'] },
    follow: {
      'answers.capture/delta/*:*': 12,
      'clean/delta/*:*': 12,
      'scores/delta/*/*:*': 24,
      ranking: 5,
      'report.answers/delta/*:*': 2,
      report: 1,
    },
    total: 238,
  },
  {
    of: 'organisms',
    edit: 'the base itself added, `adapter: none`',
    change: write('organisms/list.yaml', `${organismList(names)}  itself: { adapter: none }\n`),
    made: { 'answers/itself/*:*': [6, 'new'] },
    follow: {
      'answers.capture/itself/*:*': 12,
      'clean/itself/*:*': 12,
      'scores/itself/*/*:*': 24,
      ranking: 5,
      'report.answers/itself/*:*': 2,
      report: 1,
    },
    total: 238,
  },
  {
    of: 'organisms',
    edit: 'one removed',
    change: write('organisms/list.yaml', organismList(['alpha', 'beta'])),
    made: rankings(inRoles(everyRole, ['gamma'], 'digest → (none)')),
    follow: afterRankings,
    total: 126,
  },
  {
    of: 'organisms',
    edit: 'reordered',
    change: write('organisms/list.yaml', organismList(names.toReversed())),
    made: { 'ranking/overview:*': [1, 'organisms: ["alpha","beta","gamma"] → ["gamma","beta","alpha"]'] },
    follow: { report: 1 },
  },
  {
    of: 'organisms',
    edit: '`alpha` renamed to `omega`',
    change: file('organisms/list.yaml', 'alpha:', 'omega:'),
    made: {
      ...rankings(everyRole.map((role) => `${role}.alpha: digest → (none); ${role}.omega: (none) → digest`).join('; ')),
      'report.answers/omega/*:*': [2, 'new'],
    },
    follow: afterRankings,
  },
  {
    of: 'what an organism plants',
    edit: 'none → `[kind, secrets]`',
    change: file('organisms/list.yaml', 'organisms/alpha }', 'organisms/alpha, plants: [kind, secrets] }'),
    made: { 'ranking/overview:*': [1, 'plants.alpha: (none) → ["kind"]'] },
    follow: { report: 1 },
  },
  {
    of: 'what an organism plants',
    edit: 'none → `secrets`, which is no trait of the workflow',
    change: file('organisms/list.yaml', 'organisms/alpha }', 'organisms/alpha, plants: secrets }'),
  },
  {
    of: 'adapter tensors',
    edit: 'one bit',
    change: all(ownModels, flipWeights('models/organisms/alpha', 'adapter_model.safetensors')),
    made: { 'answers/alpha/*:*': [6, 'adapter: digest → digest'] },
    follow: afterAlpha,
  },
  {
    of: 'adapter_config.json',
    edit: 'lora_alpha',
    change: all(
      ownModels,
      json<object>('models/organisms/alpha/adapter_config.json', (config) => ({ ...config, lora_alpha: 16 })),
    ),
    made: { 'answers/alpha/*:*': [6, 'adapter: digest → digest'] },
    follow: afterAlpha,
  },
  {
    of: 'adapter_config.json',
    edit: 'base_model_name_or_path',
    change: all(
      ownModels,
      json<object>('models/organisms/alpha/adapter_config.json', (config) => ({ ...config, base_model_name_or_path: 'elsewhere' })),
    ),
  },
  {
    of: 'adapter folder',
    edit: 'the same content in another folder',
    change: all(ownModels, move('models/organisms/alpha', 'models/first'), file('organisms/list.yaml', 'organisms/alpha', 'first')),
  },
  { of: 'adapter folder', edit: 'a README beside it', change: all(ownModels, write('models/organisms/alpha/README.md', 'of alpha\n')) },
]

const everyText = (reason: string) => ({ vectors: [8, reason], answers: [18, reason] }) as const
const modelFile = (name: string, old: string, now: string) => all(ownModels, file(`models/model/${name}`, old, now))

export const modelRows: readonly Row[] = [
  {
    of: 'base weights',
    edit: 'one bit',
    change: all(ownModels, flipWeights('models/model')),
    made: everyText('model.weights: digest → digest'),
    follow: afterAnswers,
  },
  {
    of: 'config.json',
    edit: 'rms_norm_eps',
    change: all(
      ownModels,
      json<object>('models/model/config.json', (config) => ({ ...config, rms_norm_eps: 1e-5 })),
    ),
    made: everyText('model.config: digest → digest'),
    follow: afterAnswers,
  },
  {
    of: 'config.json',
    edit: 'transformers_version',
    change: all(
      ownModels,
      json<object>('models/model/config.json', (config) => ({ ...config, transformers_version: '4.0.0' })),
    ),
  },
  {
    of: 'tokenizer.json',
    edit: 'a merge',
    change: all(ownModels, (workspace) =>
      workspace.write('models/model/tokenizer.json', `${workspace.read('models/model/tokenizer.json')}\n`),
    ),
    made: everyText('model.tokenizer: digest → digest'),
    follow: afterAnswers,
  },
  {
    of: 'tokenizer_config.json',
    edit: 'a special token',
    change: modelFile('tokenizer_config.json', '{', '{ "x": 1,'),
    made: everyText('model.tokenizer_config: digest → digest'),
    follow: afterAnswers,
  },
  {
    of: 'special_tokens_map.json',
    edit: 'added',
    change: all(ownModels, write('models/model/special_tokens_map.json', '{ "eos_token": "<|endoftext|>" }\n')),
    made: everyText('model.special_tokens_map: (none) → digest'),
    follow: afterAnswers,
  },
  {
    of: 'chat template',
    edit: 'one word',
    change: all(ownModels, write('models/model/chat_template.jinja', '{{ messages }}')),
    made: everyText('model.chat_template: digest → digest'),
    follow: afterAnswers,
  },
  {
    of: 'generation_config.json',
    edit: 'top_k',
    change: all(
      ownModels,
      json<object>('models/model/generation_config.json', (config) => ({ ...config, top_k: 5 })),
    ),
    made: { answers: [18, 'model.generation_config: digest → digest'] },
    follow: afterAnswers,
  },
  { of: 'model folder', edit: 'a README beside it', change: all(ownModels, write('models/model/README.md', 'a model\n')) },
  {
    of: 'model folder',
    edit: 'a link to the same folder',
    change: all(link('models', 'here'), file('workflows/audit.yaml', '../models/model', '../here/model')),
  },
]
