import { expect, test } from 'vitest'
import { complaint } from '../support/complaint.ts'
import { type Workspace, workflowFile } from '../support/workspace.ts'

const cases: [string, (workspace: Workspace) => void, string][] = [
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
    'a step with the name of a stage of another, and a prompt set with that of a task',
    (w) => {
      w.write('prompts/overview.json', w.read('prompts/two.json'))
      w.edit(workflowFile, 'sets: [one, two]', 'sets: [one, overview]')
      w.edit(workflowFile, '  report:', '  answers.capture: { kind: generate, model: tiny, max_new_tokens: 2 }\n  report:')
    },
    `workflows/audit.yaml:18:3: error: steps "answers" and "answers.capture" both have a stage called answers.capture [same-name]
  18 |   answers.capture: { kind: generate, model: tiny, max_new_tokens: 2 }
     |   ^^^^^^^^^^^^^^^
  hint: give one of them another name

workflows/audit.yaml:17:3: error: step "ranking" has two tasks called ranking/overview [same-name]
  17 |   ranking: { kind: rank, of: scores, top: 3 }
     |   ^^^^^^^
  hint: give the prompt set of that name another one

2 errors; nothing was started
`,
  ],
  [
    'a reference that is one of the traits',
    (w) => w.edit(workflowFile, 'model: tiny, layers', 'model: tiny, reference: rude, layers'),
    `workflows/audit.yaml:8:53: error: step "vectors": the reference "rude" is one of its traits, of which nothing would be left [reference]
  8 |   vectors: { kind: extract, model: tiny, reference: rude, layers: [1, 2] }
    |                                                     ^^^^
  hint: name the other traits in \`traits\`, or write \`"reference": true\` into the file of "rude" where it is no trait of its own

1 error; nothing was started
`,
  ],
  [
    'two outputs in one file',
    (w) => w.write(workflowFile, `${w.read(workflowFile)}  a: { kind: command, run: [touch, '{out.x}'], outputs: { x: o, y: o } }\n`),
    `workflows/audit.yaml:19:68: error: step "a": its outputs "x" and "y" are both the file o [same-file]
  19 |   a: { kind: command, run: [touch, '{out.x}'], outputs: { x: o, y: o } }
     |                                                                    ^
  hint: give each a file name of its own

1 error; nothing was started
`,
  ],
  [
    'two rankings shown in one place',
    (w) => w.edit(workflowFile, 'top: 3 }', 'top: 3 }\n  raw: { kind: rank, of: scores, mode: raw }'),
    `workflows/audit.yaml:18:3: error: steps "ranking" and "raw" show their results in the same folder, "top_activating" [same-place]
  18 |   raw: { kind: rank, of: scores, mode: raw }
     |   ^^^
  hint: give one of them another, such as \`folder: raw\`

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
    'all in the place of one step',
    (w) => w.edit(workflowFile, 'onto: vectors', 'onto: all'),
    `workflows/audit.yaml:16:56: error: step "scores" refers to step "all", which this workflow does not have [unknown-step]
  16 |   scores: { kind: project, of: [answers, clean], onto: all, layers: [2] }
     |                                                        ^^^
  hint: known: vectors, answers, clean, scores, ranking, report

1 error; nothing was started
`,
  ],
  [
    'a reference to a step that is not there',
    (w) => w.edit(workflowFile, 'of: answers,', 'of: answer,'),
    `workflows/audit.yaml:15:30: error: step "clean" refers to step "answer", which this workflow does not have [unknown-step]
  15 |   clean: { kind: replay, of: answer, through: tiny, capture: *capture, batch_size: 2 }
     |                              ^^^^^^
  hint: did you mean "answers"?

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
    'a prompt id that stands twice',
    (w) => w.edit('prompts/one.json', 'one_2', 'one_1'),
    `workflows/audit.yaml:5:37: error: prompt set "one" (../prompts/one.json): prompt 2: the id "one_1" is already used by prompt 1 [prompt-set]
  5 | prompts: { from: ../prompts, sets: [one, two] }
    |                                     ^^^

1 error; nothing was started
`,
  ],
  [
    'a prompt without text',
    (w) => w.edit('prompts/one.json', 'What is rain?', ' '),
    `workflows/audit.yaml:5:37: error: prompt set "one" (../prompts/one.json): prompt 1: it has no text [prompt-set]
  5 | prompts: { from: ../prompts, sets: [one, two] }
    |                                     ^^^

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
    'steps that wait for each other, with their path',
    (w) =>
      w.write(
        workflowFile,
        `${w.read(workflowFile)}  a: { kind: command, run: [cat], inputs: { x: { step: b, output: y } }, outputs: { y: y } }\n  b: { kind: command, run: [cat], inputs: { x: { step: a, output: y } }, outputs: { y: y } }\n`,
      ),
    `workflows/audit.yaml:19:56: error: steps wait for each other: a → b → a [cycle]
  19 |   a: { kind: command, run: [cat], inputs: { x: { step: b, output: y } }, outputs: { y: y } }
     |                                                        ^
  hint: each step of this path reads the next one; take one of the references out

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
  [
    'a diff without a clean side',
    (w) => w.edit(workflowFile, 'of: [answers, clean]', 'of: [answers]'),
    `workflows/audit.yaml:17:12: error: step "ranking": mode "diff" needs the clean side, but "scores" projects 0 replays of "answers" [sides]
  17 |   ranking: { kind: rank, of: scores, top: 3 }
     |            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  hint: add a replay step to \`of\` of "scores", or rank with mode: raw

1 error; nothing was started
`,
  ],
  [
    'a placeholder that names nothing',
    (w) => w.write(workflowFile, `${w.read(workflowFile)}  a: { kind: command, run: [cat, '{in.x}'], outputs: { y: y } }\n`),
    `workflows/audit.yaml:19:28: error: step "a": {in.x} names no input of this step [unknown-placeholder]
  19 |   a: { kind: command, run: [cat, '{in.x}'], outputs: { y: y } }
     |                            ^^^^^^^^^^^^^^^
  hint: it has: none

1 error; nothing was started
`,
  ],
  [
    'a workflow whose organisms were left out',
    (w) => w.edit(workflowFile, 'organisms: { from: ../organisms/list.yaml }\n', ''),
    `workflows/audit.yaml:8:3: error: step "answers" has nothing to work on [no-tasks]
  8 |   answers:
    |   ^^^^^^^
  hint: of what a generate step takes (organisms, prompts, traits), this workflow names none at all or a list that is empty

1 error; nothing was started
`,
  ],
]

test.for(cases)('%s is refused with its place', async ([, change, text]) => {
  expect(await complaint(change)).toBe(text)
})
