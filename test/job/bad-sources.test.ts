import { cpSync, renameSync, rmSync, truncateSync } from 'node:fs'
import { expect, test } from 'vitest'
import { complaint } from '../support/complaint.ts'
import { promptSet, vectorFile, type Workspace, workflowFile } from '../support/workspace.ts'

const sentence = 'Tell me about the sea and its tides, at some length. '

const words = (count: number): string => `rain${' rain'.repeat(count - 1)}`

/** Puts a changed copy in the place of the organism alpha; `change` is given the names of its files. */
function ownAdapter(workspace: Workspace, change: (file: (name: string) => string) => void): void {
  cpSync(workspace.at('models/organisms/alpha'), workspace.at('organisms/own'), { recursive: true })
  workspace.edit('organisms/list.yaml', 'alpha: { adapter: ../models/organisms/alpha }', 'alpha: { adapter: own }')
  change((name) => `organisms/own/${name}`)
}

/** The same of the model, whose tokenizer is then the same file. */
function ownModel(workspace: Workspace, change: (file: (name: string) => string) => void): void {
  cpSync(workspace.at('models/model'), workspace.at('own'), { recursive: true })
  workspace.edit(workflowFile, 'source: ../models/model', 'source: ../own')
  change((name) => `own/${name}`)
}

function withVectors(workspace: Workspace): void {
  const step = '  given: { kind: vectors, model: tiny, files: "../mine/{trait}/layer{layer}.safetensors" }'
  workspace.edit(workflowFile, 'steps:\n', `steps:\n${step}\n`)
}

const cases: [string, (workspace: Workspace) => void, string][] = [
  [
    'a list of organisms that is missing',
    (w) => w.edit(workflowFile, 'organisms/list.yaml', 'organisms/lost.yaml'),
    `workflows/audit.yaml:4:20: error: the list of organisms organisms/lost.yaml cannot be read: it does not exist [missing-file]
  4 | organisms: { from: ../organisms/lost.yaml }
    |                    ^^^^^^^^^^^^^^^^^^^^^^

1 error; nothing was started
`,
  ],
  [
    'a list of organisms that is a folder',
    (w) => w.edit(workflowFile, 'organisms/list.yaml', 'organisms'),
    `workflows/audit.yaml:4:20: error: the list of organisms organisms cannot be read: it is not a regular file [missing-file]
  4 | organisms: { from: ../organisms }
    |                    ^^^^^^^^^^^^

1 error; nothing was started
`,
  ],
  [
    'a folder of contrast sets that is missing',
    (w) => w.edit(workflowFile, 'from: ../traits', 'from: ../trait'),
    `workflows/audit.yaml:6:17: error: the folder of contrast sets ../trait cannot be read [missing-file]
  6 | traits: { from: ../trait }
    |                 ^^^^^^^^

1 error; nothing was started
`,
  ],
  [
    'a contrast pair whose id stands twice, and a set that is too small',
    (w) => {
      w.edit('traits/kind.json', 'kind_2', 'kind_1')
      w.write('traits/rude.json', JSON.stringify({ pairs: [{ id: 'a', prompt: 'Well?', positive: 'No!', negative: 'No.' }] }))
    },
    `workflows/audit.yaml:6:17: error: contrast set "kind": pair 2: the id "kind_1" is used twice [trait]
  6 | traits: { from: ../traits }
    |                 ^^^^^^^^^

workflows/audit.yaml:6:17: error: contrast set "rude": it has 1 pairs; at least 4 are needed [trait]
  6 | traits: { from: ../traits }
    |                 ^^^^^^^^^

2 errors; nothing was started
`,
  ],
  [
    'a prompt of one token more than fits beside one that just fits',
    (w) => w.write('prompts/two.json', promptSet('two', ['Who are you?', words(486), words(487)])),
    `workflows/audit.yaml:5:42: error: step "answers": a prompt of ../prompts/two.json does not fit the context of model "tiny", 512 tokens with 6 new ones: "two_3" has 507 [context]
  5 | prompts: { from: ../prompts, sets: [one, two] }
    |                                          ^^^
  hint: system prompt, prompt and chat template may have 506 tokens together: shorten it, take it out of the file, or lower max_new_tokens

1 error; nothing was started
`,
  ],
  [
    'many prompts that do not fit, a mistake for each set',
    (w) => {
      w.write('prompts/one.json', promptSet('one', ['Who are you?', '这是一个很长的问题。'.repeat(60)]))
      w.write('prompts/two.json', promptSet('two', [600, 601, 602, 900, 603, 604, 605].map(words)))
    },
    `workflows/audit.yaml:5:37: error: step "answers": a prompt of ../prompts/one.json does not fit the context of model "tiny", 512 tokens with 6 new ones: "one_2" has 860 [context]
  5 | prompts: { from: ../prompts, sets: [one, two] }
    |                                     ^^^
  hint: system prompt, prompt and chat template may have 506 tokens together: shorten it, take it out of the file, or lower max_new_tokens

workflows/audit.yaml:5:42: error: step "answers": 7 prompts of ../prompts/two.json do not fit the context of model "tiny", 512 tokens with 6 new ones: "two_1" has 620, "two_2" has 621, "two_3" has 622, "two_4" has 920, "two_5" has 623 and 2 more, the longest "two_4" with 920 [context]
  5 | prompts: { from: ../prompts, sets: [one, two] }
    |                                          ^^^
  hint: system prompt, prompt and chat template may have 506 tokens together: shorten them, take them out of the file, or lower max_new_tokens

2 errors; nothing was started
`,
  ],
  [
    'prompts that cannot fit the context of a model that is not here, however they are split',
    (w) => {
      w.edit(workflowFile, 'source: ../models/model', 'source: ../absent, config: ../models/model/config.json')
      w.write('prompts/two.json', promptSet('two', [words(506), sentence.repeat(100), sentence.repeat(101)]))
    },
    `workflows/audit.yaml:5:42: error: step "answers": 2 prompts of ../prompts/two.json do not fit the context of model "tiny", 512 tokens with 6 new ones: "two_2" has at least 653, "two_3" has at least 660 [context]
  5 | prompts: { from: ../prompts, sets: [one, two] }
    |                                          ^^^
  hint: system prompt, prompt and chat template may have 506 tokens together: shorten them, take them out of the file, or lower max_new_tokens

1 error; nothing was started
`,
  ],
  [
    'answers that leave no room for a prompt',
    (w) => w.edit(workflowFile, 'max_new_tokens: 6', 'max_new_tokens: 512'),
    `workflows/audit.yaml:12:21: error: step "answers": 512 new tokens leave no room for a prompt in the context of model "tiny", 512 tokens [context]
  12 |     max_new_tokens: 512
     |                     ^^^

1 error; nothing was started
`,
  ],
  [
    'a contrast pair whose question does not fit; of long answers only the tokens that are read count',
    (w) => {
      w.edit('traits/kind.json', 'How lovely of you to ask,', words(600))
      w.edit('traits/kind.json', 'Tell me about bread.', words(600))
    },
    `workflows/audit.yaml:6:17: error: step "vectors": a contrast pair of ../traits/kind.json does not fit the context of model "tiny", 512 tokens: "kind_2" has 635 [context]
  6 | traits: { from: ../traits }
    |                 ^^^^^^^^^
  hint: question, answer and chat template may have 512 tokens together: shorten it or take it out of the file

1 error; nothing was started
`,
  ],
  [
    'a contrast pair with an answer that does not fit where all of it is read',
    (w) => {
      w.edit(workflowFile, 'layers: [1, 2] }', 'layers: [1, 2], position: response }')
      w.edit('traits/kind.json', 'How lovely of you to ask,', words(600))
    },
    `workflows/audit.yaml:6:17: error: step "vectors": a contrast pair of ../traits/kind.json does not fit the context of model "tiny", 512 tokens: "kind_1" has 639 [context]
  6 | traits: { from: ../traits }
    |                 ^^^^^^^^^
  hint: question, answer and chat template may have 512 tokens together: shorten it or take it out of the file

1 error; nothing was started
`,
  ],
  [
    'an adapter of another rank than its configuration says',
    (w) => ownAdapter(w, (adapter) => w.edit(adapter('adapter_config.json'), '"r": 4', '"r": 8')),
    `organisms/list.yaml:2:21: error: organism "alpha": its adapter_config.json says rank 8, and its weights for o_proj have rank 4 [adapter]
  2 |   alpha: { adapter: own }
    |                     ^^^

1 error; nothing was started
`,
  ],
  [
    'an adapter with other target modules than its configuration says',
    (w) => ownAdapter(w, (adapter) => w.edit(adapter('adapter_config.json'), '"v_proj"', '"k_proj"')),
    `organisms/list.yaml:2:21: error: organism "alpha": its adapter_config.json names the target modules k_proj, for which it has no weights; it has weights for v_proj, which its adapter_config.json does not name as target modules [adapter]
  2 |   alpha: { adapter: own }
    |                     ^^^

1 error; nothing was started
`,
  ],
  [
    'an adapter that changes the base',
    (w) => ownAdapter(w, (adapter) => w.edit(adapter('adapter_config.json'), '"bias": "none"', '"bias": "all"')),
    `organisms/list.yaml:2:21: error: organism "alpha": its adapter_config.json has "bias": "all", which changes the base and is not supported [adapter]
  2 |   alpha: { adapter: own }
    |                     ^^^

1 error; nothing was started
`,
  ],
  [
    'an adapter with pickled weights',
    (w) => ownAdapter(w, (adapter) => renameSync(w.at(adapter('adapter_model.safetensors')), w.at(adapter('adapter_model.bin')))),
    `organisms/list.yaml:2:21: error: organism "alpha": it holds pickled weights (adapter_model.bin); only safetensors are loaded [adapter]
  2 |   alpha: { adapter: own }
    |                     ^^^

1 error; nothing was started
`,
  ],
  [
    'an adapter with a tokenizer and a chat template of its own',
    (w) =>
      ownAdapter(w, (adapter) => {
        w.write(adapter('tokenizer.json'), w.read('models/model/tokenizer.json').replace('"<|im_start|>"', '"<|start|>"'))
        w.write(adapter('chat_template.jinja'), '{{ messages[0].content }}')
      }),
    `organisms/list.yaml:2:21: error: organism "alpha": its tokenizer.json is not that of model "tiny" [adapter-speech]
  2 |   alpha: { adapter: own }
    |                     ^^^
  hint: organisms are asked and answer in that of the base: if this one was trained so, take the file out of its folder

organisms/list.yaml:2:21: error: organism "alpha": its chat template is not that of model "tiny" [adapter-speech]
  2 |   alpha: { adapter: own }
    |                     ^^^
  hint: organisms are asked and answer in that of the base: if this one was trained so, take the file out of its folder

2 errors; nothing was started
`,
  ],
  [
    'an adapter that stands twice in the list',
    (w) => w.edit('organisms/list.yaml', 'organisms/beta', 'organisms/alpha'),
    `organisms/list.yaml:3:20: error: organism "beta": it is the very adapter of "alpha" [same-adapter]
  3 |   beta: { adapter: ../models/organisms/alpha }
    |                    ^^^^^^^^^^^^^^^^^^^^^^^^^
  hint: leave one of them out

1 error; nothing was started
`,
  ],
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
  [
    'mistakes in several files, all at once',
    (w) => {
      w.edit('prompts/one.json', 'What is rain?', ' ')
      w.edit('traits/kind.json', 'kind_2', 'kind_1')
      ownAdapter(w, (adapter) => w.edit(adapter('adapter_config.json'), '"r": 4', '"r": 8'))
      w.edit(workflowFile, 'top: 3', 'top: 3, mode: raw')
      w.edit(workflowFile, 'capture: &capture { layers: [1, 2] }', 'capture: &capture { layers: [1, 9] }')
    },
    `organisms/list.yaml:2:21: error: organism "alpha": its adapter_config.json says rank 8, and its weights for o_proj have rank 4 [adapter]
  2 |   alpha: { adapter: own }
    |                     ^^^

workflows/audit.yaml:5:37: error: prompt set "one" (../prompts/one.json): prompt 1: it has no text [prompt-set]
  5 | prompts: { from: ../prompts, sets: [one, two] }
    |                                     ^^^

workflows/audit.yaml:6:17: error: contrast set "kind": pair 2: the id "kind_1" is used twice [trait]
  6 | traits: { from: ../traits }
    |                 ^^^^^^^^^

workflows/audit.yaml:14:37: error: step "answers": layer 9 does not exist: model "tiny" has 4 layers [layer-out-of-range]
  14 |     capture: &capture { layers: [1, 9] }
     |                                     ^
  hint: layers are counted from 0 to 3

workflows/audit.yaml:14:37: error: step "clean": layer 9 does not exist: model "tiny" has 4 layers [layer-out-of-range]
  14 |     capture: &capture { layers: [1, 9] }
     |                                     ^
  hint: layers are counted from 0 to 3

workflows/audit.yaml:16:74: error: step "scores": traits rude are wanted at layer 2, which step "answers" does not capture (it captures 1, 9) [layer-not-captured]
  16 |   scores: { kind: project, of: [answers, clean], onto: vectors, layers: [2] }
     |                                                                          ^
  hint: add 2 to the capture layers of "answers"

workflows/audit.yaml:16:74: error: step "scores": traits rude are wanted at layer 2, which step "clean" does not capture (it captures 1, 9) [layer-not-captured]
  16 |   scores: { kind: project, of: [answers, clean], onto: vectors, layers: [2] }
     |                                                                          ^
  hint: add 2 to the capture layers of "clean"

7 errors; nothing was started
`,
  ],
]

test.for(cases)('%s is refused with its place', async ([, change, text]) => {
  expect(await complaint(change)).toBe(text)
})
