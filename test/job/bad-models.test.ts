import { cpSync, mkdirSync, renameSync, rmSync, truncateSync } from 'node:fs'
import { expect, test } from 'vitest'
import { refuses } from '../support/complaint.ts'
import { dag } from '../support/dag.ts'
import { freshWorkspace, type Workspace, workflowFile } from '../support/workspace.ts'

/** Puts a changed copy in the place of the model; `change` is given the names of its files. */
function ownModel(workspace: Workspace, change: (file: (name: string) => string) => void): void {
  cpSync(workspace.at('models/model'), workspace.at('own'), { recursive: true })
  workspace.edit(workflowFile, 'source: ../models/model', 'source: ../own')
  change((name) => `own/${name}`)
}

/** Gives the model a template like those that take no system prompt (Gemma's, the first of Mistral's). */
function ownTemplate(workspace: Workspace, refused: string): void {
  const turns = `{% for m in messages %}{{ '<' + m.role + '>' + m.content }}{% endfor %}`
  ownModel(workspace, (model) => {
    workspace.write(
      model('chat_template.jinja'),
      `{% if ${refused} %}{{ raise_exception('System role not supported') }}{% endif %}${turns}`,
    )
  })
}

/** Gives the model a template like that of Llama 3.2, which tells the model today's date. */
function datedTemplate(workspace: Workspace): void {
  ownModel(workspace, (model) =>
    workspace.write(
      model('chat_template.jinja'),
      `{% if strftime_now is defined %}{% set day = strftime_now('%d %b %Y') %}{% endif %}Today is {{ day }}. {{ messages[-1].content }}`,
    ),
  )
}

refuses([
  [
    'a checkpoint that is quantized in a way of its own',
    (w) => ownModel(w, (model) => w.edit(model('config.json'), '{', '{ "quantization_config": { "quant_method": "gptq", "bits": 4 },')),
    `workflows/audit.yaml:3:19: error: model "tiny" (../own) cannot be loaded: its weights lie quantized by "gptq", and only mxfp4 and fp8 can be widened; take those in bfloat16 [model-weights]
  3 |   tiny: { source: ../own, dtype: bfloat16 }
    |                   ^^^^^^

1 error; nothing was started
`,
  ],
  [
    'a base model, which has no chat template',
    (w) => ownModel(w, (model) => rmSync(w.at(model('chat_template.jinja')))),
    `workflows/audit.yaml:3:19: error: model "tiny" (../own) has no chat template to be asked in [chat-template]
  3 |   tiny: { source: ../own, dtype: bfloat16 }
    |                   ^^^^^^
  hint: of a base model write \`chat_template: none\`: its prompts are then plain text that it continues; of a chat model put its chat_template.jinja beside the weights

1 error; nothing was started
`,
  ],
  [
    'a system prompt for a model that is asked plain text',
    (w) => w.edit(workflowFile, 'dtype: bfloat16', 'dtype: bfloat16, chat_template: none'),
    `workflows/audit.yaml:5:37: error: step "answers": model "tiny" is asked plain text, which has no place for the system prompt of ../prompts/one.json [chat-template]
  5 | prompts: { from: ../prompts, sets: [one, two] }
    |                                     ^^^
  hint: take \`system_prompt\` out of the file and put its text before the prompts'

workflows/audit.yaml:5:42: error: step "answers": model "tiny" is asked plain text, which has no place for the system prompt of ../prompts/two.json [chat-template]
  5 | prompts: { from: ../prompts, sets: [one, two] }
    |                                          ^^^
  hint: take \`system_prompt\` out of the file and put its text before the prompts'

2 errors; nothing was started
`,
  ],
  [
    'a date and variables for a model that is asked plain text',
    (w) => {
      w.edit(workflowFile, 'dtype: bfloat16', 'chat_template: none, date: 2026-01-31, chat_template_kwargs: { thinks: false }')
      for (const set of ['one', 'two']) w.edit(`prompts/${set}.json`, '"You are a small model."', 'null')
    },
    `workflows/audit.yaml:3:57: error: model "tiny" has no chat template (\`chat_template: none\`) that could be told its \`date\` [chat-template]
  3 |   tiny: { source: ../models/model, chat_template: none, date: 2026-01-31, chat_template_kwargs: { thinks: false } }
    |                                                         ^^^^
  hint: take \`date\` out

workflows/audit.yaml:3:75: error: model "tiny" has no chat template (\`chat_template: none\`) that could be told its \`chat_template_kwargs\` [chat-template]
  3 |   tiny: { source: ../models/model, chat_template: none, date: 2026-01-31, chat_template_kwargs: { thinks: false } }
    |                                                                           ^^^^^^^^^^^^^^^^^^^^
  hint: take \`chat_template_kwargs\` out

2 errors; nothing was started
`,
  ],
  [
    'a chat template that puts the date of today into every prompt',
    datedTemplate,
    `workflows/audit.yaml:3:19: error: the chat template of model "tiny" puts today's date into every prompt [chat-date]
  3 |   tiny: { source: ../own, dtype: bfloat16 }
    |                   ^^^^^^
  hint: say which day it is to be, so that answers of other days compare: \`date: ${new Date().toLocaleDateString('en-CA')}\`

1 error; nothing was started
`,
  ],
  [
    'a day that there is not',
    (w) => {
      datedTemplate(w)
      w.edit(workflowFile, 'dtype: bfloat16', 'dtype: bfloat16, date: 2026-02-30')
    },
    `workflows/audit.yaml:3:50: error: model "tiny" is told that today is 2026-02-30, a day that there is not [chat-date]
  3 |   tiny: { source: ../own, dtype: bfloat16, date: 2026-02-30 }
    |                                                  ^^^^^^^^^^
  hint: say which day it is to be, so that answers of other days compare: \`date: ${new Date().toLocaleDateString('en-CA')}\`

1 error; nothing was started
`,
  ],
  [
    'a date for a chat template that does not ask for one',
    (w) => w.edit(workflowFile, 'dtype: bfloat16', 'dtype: bfloat16, date: 2026-01-31'),
    `workflows/audit.yaml:3:59: error: the chat template of model "tiny" does not ask for the date [chat-date]
  3 |   tiny: { source: ../models/model, dtype: bfloat16, date: 2026-01-31 }
    |                                                           ^^^^^^^^^^
  hint: take \`date\` out

1 error; nothing was started
`,
  ],
  [
    'a variable that the chat template does not have, and one that is not theirs to set',
    (w) => {
      ownModel(w, (model) => w.write(model('chat_template.jinja'), '{% if enable_thinking %}Think.{% endif %}{{ messages[-1].content }}'))
      w.edit(workflowFile, 'dtype: bfloat16', 'chat_template_kwargs: { enable_thinkng: false, messages: no }')
    },
    `workflows/audit.yaml:3:51: error: the chat template of model "tiny" has no variable "enable_thinkng" [chat-template]
  3 |   tiny: { source: ../own, chat_template_kwargs: { enable_thinkng: false, messages: no } }
    |                                                   ^^^^^^^^^^^^^^
  hint: did you mean "enable_thinking"?

workflows/audit.yaml:3:74: error: "messages" is given to every chat template; it cannot be set [chat-template]
  3 |   tiny: { source: ../own, chat_template_kwargs: { enable_thinkng: false, messages: no } }
    |                                                                          ^^^^^^^^

2 errors; nothing was started
`,
  ],
  [
    'a system prompt that the chat template of the model takes for a mistake',
    (w) => {
      ownTemplate(w, "messages[0]['role'] == 'system'")
      w.edit('prompts/two.json', '"system_prompt": "You are a small model."', '"system_prompt": null')
    },
    `workflows/audit.yaml:5:37: error: step "answers": the chat template of model "tiny" refuses the system prompt of ../prompts/one.json: System role not supported [chat-template]
  5 | prompts: { from: ../prompts, sets: [one, two] }
    |                                     ^^^
  hint: take \`system_prompt\` out of the file and put its text before the prompts', or use a chat template that takes one

1 error; nothing was started
`,
  ],
  [
    'prompts that the chat template of the model does not take at all',
    (w) => ownTemplate(w, "messages[-1]['role'] == 'user'"),
    `workflows/audit.yaml:6:17: error: step "vectors": the chat template of model "tiny" refuses the contrast pairs of ../traits/kind.json: System role not supported [chat-template]
  6 | traits: { from: ../traits }
    |                 ^^^^^^^^^
  hint: use a model or a chat template that takes a question of the user without anything before it

workflows/audit.yaml:6:17: error: step "vectors": the chat template of model "tiny" refuses the contrast pairs of ../traits/rude.json: System role not supported [chat-template]
  6 | traits: { from: ../traits }
    |                 ^^^^^^^^^
  hint: use a model or a chat template that takes a question of the user without anything before it

workflows/audit.yaml:5:37: error: step "answers": the chat template of model "tiny" refuses the prompts of ../prompts/one.json: System role not supported [chat-template]
  5 | prompts: { from: ../prompts, sets: [one, two] }
    |                                     ^^^
  hint: use a model or a chat template that takes a question of the user without anything before it

workflows/audit.yaml:5:42: error: step "answers": the chat template of model "tiny" refuses the prompts of ../prompts/two.json: System role not supported [chat-template]
  5 | prompts: { from: ../prompts, sets: [one, two] }
    |                                          ^^^
  hint: use a model or a chat template that takes a question of the user without anything before it

4 errors; nothing was started
`,
  ],
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

test('a part of the model that is no file is told, and is no mistake of the program', async () => {
  const workspace = freshWorkspace()
  ownModel(workspace, (model) => {
    rmSync(workspace.at(model('chat_template.jinja')))
    mkdirSync(workspace.at(model('chat_template.jinja')))
  })
  const { code, stderr } = await dag(workspace.folder, ['plan', workflowFile])
  expect([code, stderr]).toEqual([
    1,
    `error: a file cannot be opened: ${workspace.at('own/chat_template.jinja')} is not a regular file [system]
  hint: see whether it is a file, its folder is there and writable and the disk not full
`,
  ])
})
