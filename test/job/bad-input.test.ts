import { refuses } from '../support/complaint.ts'
import { vectorFile, workflowFile } from '../support/workspace.ts'

refuses([
  [
    'an unknown key, with what was meant',
    (w) => w.edit(workflowFile, 'top: 3', 'tops: 3'),
    `workflows/audit.yaml:17:38: error: "steps.ranking" has no key "tops" [unknown-key]
  17 |   ranking: { kind: rank, of: scores, tops: 3 }
     |                                      ^^^^
  hint: did you mean "top"?

1 error; nothing was started
`,
  ],
  [
    'a key that belongs into another one',
    (w) => w.edit(workflowFile, 'batch_size: 2\n', 'batch_size: 2\n    raw: never\n'),
    `workflows/audit.yaml:14:5: error: "steps.answers" has no key "raw" [unknown-key]
  14 |     raw: never
     |     ^^^
  hint: it is a key of \`capture\`

1 error; nothing was started
`,
  ],
  [
    'a missing key and an unknown one, both at once',
    (w) => w.edit(workflowFile, 'max_new_tokens: 6', 'max_new_token: 6'),
    `workflows/audit.yaml:9:3: error: "steps.answers" lacks the key "max_new_tokens" [missing-key]
  9 |   answers:
    |   ^^^^^^^

workflows/audit.yaml:12:5: error: "steps.answers" has no key "max_new_token" [unknown-key]
  12 |     max_new_token: 6
     |     ^^^^^^^^^^^^^
  hint: did you mean "max_new_tokens"?

2 errors; nothing was started
`,
  ],
  [
    'an unknown step kind',
    (w) => w.edit(workflowFile, 'kind: replay', 'kind: repaly'),
    `workflows/audit.yaml:15:18: error: there is no step kind "repaly" [unknown-kind]
  15 |   clean: { kind: repaly, of: answers, through: tiny, capture: *capture, batch_size: 2 }
     |                  ^^^^^^
  hint: did you mean "replay"?

1 error; nothing was started
`,
  ],
  [
    'a value of the wrong type',
    (w) => w.edit(workflowFile, 'top: 3', 'top: many'),
    `workflows/audit.yaml:17:43: error: "steps.ranking.top" must be integer [type]
  17 |   ranking: { kind: rank, of: scores, top: many }
     |                                           ^^^^

1 error; nothing was started
`,
  ],
  [
    'a value out of range',
    (w) => w.edit(workflowFile, 'top: 3', 'top: 0'),
    `workflows/audit.yaml:17:43: error: "steps.ranking.top" must be >= 1 [value]
  17 |   ranking: { kind: rank, of: scores, top: 0 }
     |                                           ^

1 error; nothing was started
`,
  ],
  [
    'a choice that is no text',
    (w) => w.edit(workflowFile, 'of: scores, top: 3', 'of: scores, top: 3, by: [max_token]'),
    `workflows/audit.yaml:17:50: error: "steps.ranking.by" must be string [type]
  17 |   ranking: { kind: rank, of: scores, top: 3, by: [max_token] }
     |                                                  ^^^^^^^^^^^

1 error; nothing was started
`,
  ],
  [
    'an unknown organism',
    (w) => w.edit(workflowFile, 'max_new_tokens: 6', 'max_new_tokens: 6\n    organisms: [alpah]'),
    `workflows/audit.yaml:13:17: error: step "answers" names the organism "alpah", which this workflow does not have [unknown-organism]
  13 |     organisms: [alpah]
     |                 ^^^^^
  hint: did you mean "alpha"?

1 error; nothing was started
`,
  ],
  [
    'a prompt file that is missing',
    (w) => w.edit(workflowFile, '[one, two]', '[one, three]'),
    `workflows/audit.yaml:5:42: error: prompt set "three" (../prompts/three.json): it does not exist [prompt-set]
  5 | prompts: { from: ../prompts, sets: [one, three] }
    |                                          ^^^^^

1 error; nothing was started
`,
  ],
  [
    'a device that there is none of',
    (w) => w.edit(workflowFile, 'dtype: bfloat16', 'dtype: bfloat16, device: gpu'),
    `workflows/audit.yaml:3:61: error: "models.tiny.device" is "gpu" [value]
  3 |   tiny: { source: ../models/model, dtype: bfloat16, device: gpu }
    |                                                             ^^^
  hint: \`cpu\`, \`cuda\` or \`mps\`; of several GPUs one, as \`cuda:1\`, a list of them, or \`cuda:0+cuda:1\` for a model that is spread over both.

1 error; nothing was started
`,
  ],
  [
    'of several devices one that there is none of',
    (w) => w.edit(workflowFile, 'dtype: bfloat16', 'dtype: bfloat16, device: [cpu, gpu]'),
    `workflows/audit.yaml:3:67: error: "models.tiny.device.1" is "gpu" [value]
  3 |   tiny: { source: ../models/model, dtype: bfloat16, device: [cpu, gpu] }
    |                                                                   ^^^
  hint: \`cpu\`, \`cuda\` or \`mps\`; of several GPUs one, as \`cuda:1\`, a list of them, or \`cuda:0+cuda:1\` for a model that is spread over both.

1 error; nothing was started
`,
  ],
  [
    'a value of none of the forms that it may have',
    (w) => w.edit(workflowFile, 'dtype: bfloat16', 'dtype: bfloat16, device: 0'),
    `workflows/audit.yaml:3:61: error: "models.tiny.device" is neither a text nor a list [type]
  3 |   tiny: { source: ../models/model, dtype: bfloat16, device: 0 }
    |                                                             ^

1 error; nothing was started
`,
  ],
  [
    'a prompt id that stands twice',
    (w) => w.edit('prompts/one.json', 'one_2', 'one_1'),
    `workflows/audit.yaml:5:37: error: prompt set "one" (../prompts/one.json): prompt 2: the id "one_1" is already used by prompt 1 [prompt-set]
  5 | prompts: { from: ../prompts, sets: [one, two] }
    |                                     ^^^
  hint: a prompt set is { "prompts": [{ "id": "p1", "text": "…" }] }, and may have a "system_prompt"

1 error; nothing was started
`,
  ],
  [
    'a prompt without text',
    (w) => w.edit('prompts/one.json', 'What is rain?', ' '),
    `workflows/audit.yaml:5:37: error: prompt set "one" (../prompts/one.json): prompt 1: it has no text [prompt-set]
  5 | prompts: { from: ../prompts, sets: [one, two] }
    |                                     ^^^
  hint: a prompt set is { "prompts": [{ "id": "p1", "text": "…" }] }, and may have a "system_prompt"

1 error; nothing was started
`,
  ],
  [
    'a layer that the model does not have',
    (w) => w.edit(workflowFile, 'model: tiny, layers: [1, 2]', 'model: tiny, layers: [1, 4]'),
    `workflows/audit.yaml:8:54: error: step "vectors": layer 4 does not exist: model "tiny" has 4 layers [layer-out-of-range]
  8 |   vectors: { kind: extract, model: tiny, layers: [1, 4] }
    |                                                      ^
  hint: layers are counted from 0 to 3

workflows/audit.yaml:16:74: error: step "scores": no vector is extracted at layer 2: "vectors" makes layers 1, 4 [layer-not-extracted]
  16 |   scores: { kind: project, of: [answers, clean], onto: vectors, layers: [2] }
     |                                                                          ^
  hint: add 2 to the layers of "vectors"

2 errors; nothing was started
`,
  ],
  [
    'a trait layer that one side does not capture',
    (w) => w.edit(workflowFile, 'through: tiny, capture: *capture', 'through: tiny, capture: { layers: [1] }'),
    `workflows/audit.yaml:16:74: error: step "scores": traits kind, rude are wanted at layer 2, which step "clean" does not capture (it captures 1) [layer-not-captured]
  16 |   scores: { kind: project, of: [answers, clean], onto: vectors, layers: [2] }
     |                                                                          ^
  hint: add 2 to the capture layers of "clean"

1 error; nothing was started
`,
  ],
  [
    'layers by name: of a trait that is not there, of one that is not named, not made, not recorded, and of none by a file',
    (w) => {
      w.edit(workflowFile, 'onto: vectors, layers: [2]', 'onto: vectors, layers: { kind: [2, 9], rud: 1 }')
      w.edit(workflowFile, 'through: tiny, capture: *capture', 'through: tiny, capture: { layers: [1] }')
      w.write(
        workflowFile,
        `${w.read(workflowFile)}  given: { kind: vectors, model: tiny, files: "../given/{trait}/probe/layer{layer}.safetensors" }
  onto: { kind: project, of: answers, onto: given, layers: { kind: 2, rude: 3 } }
`,
      )
      w.write('given/rude/probe/layer2.safetensors', vectorFile(64))
    },
    `workflows/audit.yaml:20:77: error: step "onto": "given" has no vector of "rude" at layer 3 [no-vector]
  20 |   onto: { kind: project, of: answers, onto: given, layers: { kind: 2, rude: 3 } }
     |                                                                             ^

workflows/audit.yaml:20:77: error: step "onto": trait rude is wanted at layer 3, which step "answers" does not capture (it captures 1, 2) [layer-not-captured]
  20 |   onto: { kind: project, of: answers, onto: given, layers: { kind: 2, rude: 3 } }
     |                                                                             ^
  hint: add 3 to the capture layers of "answers"

workflows/audit.yaml:16:85: error: step "scores": no vector is extracted at layer 9: "vectors" makes layers 1, 2 [layer-not-extracted]
  16 |   scores: { kind: project, of: [answers, clean], onto: vectors, layers: { kind: [2, 9], rud: 1 } }
     |                                                                                     ^
  hint: add 9 to the layers of "vectors"

workflows/audit.yaml:16:94: error: step "scores": \`layers\` names the trait "rud", which is none of those that are taken of "vectors" [unknown-trait]
  16 |   scores: { kind: project, of: [answers, clean], onto: vectors, layers: { kind: [2, 9], rud: 1 } }
     |                                                                                              ^
  hint: did you mean "rude"?

workflows/audit.yaml:16:73: error: step "scores": \`layers\` says nothing of the trait rude [no-layer]
  16 |   scores: { kind: project, of: [answers, clean], onto: vectors, layers: { kind: [2, 9], rud: 1 } }
     |                                                                         ^^^^^^^^^^^^^^^^^^^^^^^^
  hint: name a layer for each, or leave them out by \`traits\`

workflows/audit.yaml:16:85: error: step "scores": trait kind is wanted at layer 9, which step "answers" does not capture (it captures 1, 2) [layer-not-captured]
  16 |   scores: { kind: project, of: [answers, clean], onto: vectors, layers: { kind: [2, 9], rud: 1 } }
     |                                                                                     ^
  hint: add 9 to the capture layers of "answers"

workflows/audit.yaml:16:82: error: step "scores": trait kind is wanted at layer 2, which step "clean" does not capture (it captures 1) [layer-not-captured]
  16 |   scores: { kind: project, of: [answers, clean], onto: vectors, layers: { kind: [2, 9], rud: 1 } }
     |                                                                                  ^
  hint: add 2 to the capture layers of "clean"

workflows/audit.yaml:16:85: error: step "scores": trait kind is wanted at layer 9, which step "clean" does not capture (it captures 1) [layer-not-captured]
  16 |   scores: { kind: project, of: [answers, clean], onto: vectors, layers: { kind: [2, 9], rud: 1 } }
     |                                                                                     ^
  hint: add 9 to the capture layers of "clean"

8 errors; nothing was started
`,
  ],
  [
    'a layer at which no vector is made',
    (w) => w.edit(workflowFile, 'kind: extract, model: tiny, layers: [1, 2]', 'kind: extract, model: tiny, layers: [1]'),
    `workflows/audit.yaml:16:74: error: step "scores": no vector is extracted at layer 2: "vectors" makes layers 1 [layer-not-extracted]
  16 |   scores: { kind: project, of: [answers, clean], onto: vectors, layers: [2] }
     |                                                                          ^
  hint: add 2 to the layers of "vectors"

1 error; nothing was started
`,
  ],
  [
    'an adapter of another base',
    (w) => w.write('organisms/list.yaml', `${w.read('organisms/list.yaml')}  stranger: { adapter: ../models/organisms/stranger }\n`),
    `organisms/list.yaml:5:24: error: organism "stranger": it does not fit model "tiny": it was trained on a base of hidden size 32, this one has 64 [adapter-of-another-base]
  5 |   stranger: { adapter: ../models/organisms/stranger }
    |                        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  hint: its adapter_config.json names the base "tiny"

1 error; nothing was started
`,
  ],
  [
    'an alias bomb',
    (w) =>
      w.write(
        workflowFile,
        'workflow: x\na: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\nsteps: [*d,*d,*d,*d,*d,*d,*d,*d,*d]\n',
      ),
    `workflows/audit.yaml:1:1: error: aliases multiply too much: Excessive alias count indicates a resource exhaustion attack [yaml-alias-bomb]
  1 | workflow: x
    | ^
  hint: write the repeated part out, or use fewer aliases

1 error; nothing was started
`,
  ],
  [
    'a name with dots that climb',
    (w) => w.edit(workflowFile, 'workflow: audit', 'workflow: a..b'),
    `workflows/audit.yaml:1:11: error: "a..b" cannot be a name [name]
  1 | workflow: a..b
    |           ^^^^
  hint: names are lower-case letters, digits, ".", "_" and "-", start with a letter or digit, and hold no ".."

1 error; nothing was started
`,
  ],
  [
    'a prompt set that climbs out of its folder',
    (w) => w.edit(workflowFile, '[one, two]', '[one, ../two]'),
    `workflows/audit.yaml:5:42: error: "../two" cannot be a name [name]
  5 | prompts: { from: ../prompts, sets: [one, ../two] }
    |                                          ^^^^^^
  hint: names are lower-case letters, digits, ".", "_" and "-", start with a letter or digit, and hold no ".."

1 error; nothing was started
`,
  ],
  [
    'a key that stands twice',
    (w) => w.edit(workflowFile, 'workflow: audit', 'workflow: audit\nworkflow: b'),
    `workflows/audit.yaml:2:1: error: Map keys must be unique [yaml-duplicate-key]
  2 | workflow: b
    | ^

1 error; nothing was started
`,
  ],
  [
    'a tab as indentation',
    (w) => w.edit(workflowFile, '  answers:', '\tanswers:'),
    `workflows/audit.yaml:9:1: error: Tabs are not allowed as indentation [yaml-tab-as-indent]
  9 | 	answers:
    | ^

1 error; nothing was started
`,
  ],
])
