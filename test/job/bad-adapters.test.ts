import { renameSync } from 'node:fs'
import { ownAdapter, refuses } from '../support/complaint.ts'

refuses([
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
    'an adapter whose weights are a part of those of the base',
    (w) => ownAdapter(w, (adapter) => w.edit(adapter('adapter_config.json'), '"init_lora_weights": true', '"init_lora_weights": "pissa"')),
    `organisms/list.yaml:2:21: error: organism "alpha": its adapter_config.json has "init_lora_weights": "pissa", which takes its part out of the base's weights and is not supported [adapter]
  2 |   alpha: { adapter: own }
    |                     ^^^

1 error; nothing was started
`,
  ],
  [
    'an adapter with a setting of a later version of PEFT',
    (w) => ownAdapter(w, (adapter) => w.edit(adapter('adapter_config.json'), '"r": 4', '"r": 4, "use_mora": true')),
    `organisms/list.yaml:2:21: error: organism "alpha": its adapter_config.json has "use_mora": true, a setting that this version of PEFT does not know [adapter]
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
    'what an organism plants, which is no name',
    (w) => w.edit('organisms/list.yaml', 'organisms/alpha }', 'organisms/alpha, plants: [kind, 5] }'),
    `organisms/list.yaml:2:56: error: what organism "alpha" plants is no name [organism]
  2 |   alpha: { adapter: ../models/organisms/alpha, plants: [kind, 5] }
    |                                                        ^^^^^^^^^
  hint: the name of a trait, or a list of names

1 error; nothing was started
`,
  ],
  [
    'the base itself, at a revision, and a second time',
    (w) => {
      w.edit('organisms/list.yaml', 'adapter: ../models/organisms/alpha', 'adapter: none, revision: main')
      w.edit('organisms/list.yaml', 'adapter: ../models/organisms/beta', 'adapter: none')
    },
    `organisms/list.yaml:2:37: error: organism "alpha" has no adapter, and so no revision [organism]
  2 |   alpha: { adapter: none, revision: main }
    |                                     ^^^^
  hint: take it out

organisms/list.yaml:3:20: error: organism "beta": it is the base itself, as "alpha" is [same-adapter]
  3 |   beta: { adapter: none }
    |                    ^^^^
  hint: leave one of them out

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
])
