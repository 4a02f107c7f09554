import { refuses } from '../support/complaint.ts'
import { workflowFile } from '../support/workspace.ts'

refuses([
  [
    'a range of layers that runs backwards, and one that names a layer twice',
    (w) => {
      w.edit(workflowFile, 'model: tiny, layers: [1, 2]', 'model: tiny, layers: [2-1]')
      w.edit(workflowFile, 'capture: &capture { layers: [1, 2] }', 'capture: &capture { layers: [1, 1-2] }')
    },
    `workflows/audit.yaml:8:51: error: "steps.vectors.layers.0" must be integer [type]
  8 |   vectors: { kind: extract, model: tiny, layers: [2-1] }
    |                                                   ^^^
  hint: a range runs upwards, such as 20-32

workflows/audit.yaml:14:33: error: "steps.answers.capture.layers" must NOT have duplicate items (items ## 1 and 0 are identical) [value]
  14 |     capture: &capture { layers: [1, 1-2] }
     |                                 ^^^^^^^^

workflows/audit.yaml:14:33: error: "steps.clean.capture.layers" must NOT have duplicate items (items ## 1 and 0 are identical) [value]
  14 |     capture: &capture { layers: [1, 1-2] }
     |                                 ^^^^^^^^

3 errors; nothing was started
`,
  ],
  [
    'a range of layers that are neither extracted nor recorded, the first of each',
    (w) => w.edit(workflowFile, 'onto: vectors, layers: [2]', 'onto: vectors, layers: 1-20'),
    `workflows/audit.yaml:16:73: error: step "scores": no vector is extracted at layer 3: "vectors" makes layers 1, 2 [layer-not-extracted]
  16 |   scores: { kind: project, of: [answers, clean], onto: vectors, layers: 1-20 }
     |                                                                         ^^^^
  hint: add 3 to the layers of "vectors"

workflows/audit.yaml:16:73: error: step "scores": no vector is extracted at layer 4: "vectors" makes layers 1, 2 [layer-not-extracted]
  16 |   scores: { kind: project, of: [answers, clean], onto: vectors, layers: 1-20 }
     |                                                                         ^^^^
  hint: add 4 to the layers of "vectors"

workflows/audit.yaml:16:73: error: step "scores": no vector is extracted at layer 5: "vectors" makes layers 1, 2 [layer-not-extracted]
  16 |   scores: { kind: project, of: [answers, clean], onto: vectors, layers: 1-20 }
     |                                                                         ^^^^
  hint: add 5 to the layers of "vectors"

workflows/audit.yaml:16:73: error: step "scores": no vector is extracted at layer 6: "vectors" makes layers 1, 2 [layer-not-extracted]
  16 |   scores: { kind: project, of: [answers, clean], onto: vectors, layers: 1-20 }
     |                                                                         ^^^^
  hint: add 6 to the layers of "vectors"

workflows/audit.yaml:16:73: error: step "scores": no vector is extracted at layer 7: "vectors" makes layers 1, 2 [layer-not-extracted]
  16 |   scores: { kind: project, of: [answers, clean], onto: vectors, layers: 1-20 }
     |                                                                         ^^^^
  hint: add 7 to the layers of "vectors"

workflows/audit.yaml:16:73: error: step "scores": no vector is extracted at layer 8: "vectors" makes layers 1, 2 [layer-not-extracted]
  16 |   scores: { kind: project, of: [answers, clean], onto: vectors, layers: 1-20 }
     |                                                                         ^^^^
  hint: add 8 to the layers of "vectors"

workflows/audit.yaml:16:73: error: step "scores": no vector is extracted at layer 9: "vectors" makes layers 1, 2 [layer-not-extracted]
  16 |   scores: { kind: project, of: [answers, clean], onto: vectors, layers: 1-20 }
     |                                                                         ^^^^
  hint: add 9 to the layers of "vectors"

workflows/audit.yaml:16:73: error: step "scores": no vector is extracted at layer 10: "vectors" makes layers 1, 2 [layer-not-extracted]
  16 |   scores: { kind: project, of: [answers, clean], onto: vectors, layers: 1-20 }
     |                                                                         ^^^^
  hint: add 10 to the layers of "vectors"

… and 10 more at this place [layer-not-extracted]

workflows/audit.yaml:16:73: error: step "scores": traits kind, rude are wanted at layer 3, which step "answers" does not capture (it captures 1, 2) [layer-not-captured]
  16 |   scores: { kind: project, of: [answers, clean], onto: vectors, layers: 1-20 }
     |                                                                         ^^^^
  hint: add 3 to the capture layers of "answers"

workflows/audit.yaml:16:73: error: step "scores": traits kind, rude are wanted at layer 4, which step "answers" does not capture (it captures 1, 2) [layer-not-captured]
  16 |   scores: { kind: project, of: [answers, clean], onto: vectors, layers: 1-20 }
     |                                                                         ^^^^
  hint: add 4 to the capture layers of "answers"

workflows/audit.yaml:16:73: error: step "scores": traits kind, rude are wanted at layer 5, which step "answers" does not capture (it captures 1, 2) [layer-not-captured]
  16 |   scores: { kind: project, of: [answers, clean], onto: vectors, layers: 1-20 }
     |                                                                         ^^^^
  hint: add 5 to the capture layers of "answers"

workflows/audit.yaml:16:73: error: step "scores": traits kind, rude are wanted at layer 6, which step "answers" does not capture (it captures 1, 2) [layer-not-captured]
  16 |   scores: { kind: project, of: [answers, clean], onto: vectors, layers: 1-20 }
     |                                                                         ^^^^
  hint: add 6 to the capture layers of "answers"

workflows/audit.yaml:16:73: error: step "scores": traits kind, rude are wanted at layer 7, which step "answers" does not capture (it captures 1, 2) [layer-not-captured]
  16 |   scores: { kind: project, of: [answers, clean], onto: vectors, layers: 1-20 }
     |                                                                         ^^^^
  hint: add 7 to the capture layers of "answers"

workflows/audit.yaml:16:73: error: step "scores": traits kind, rude are wanted at layer 8, which step "answers" does not capture (it captures 1, 2) [layer-not-captured]
  16 |   scores: { kind: project, of: [answers, clean], onto: vectors, layers: 1-20 }
     |                                                                         ^^^^
  hint: add 8 to the capture layers of "answers"

workflows/audit.yaml:16:73: error: step "scores": traits kind, rude are wanted at layer 9, which step "answers" does not capture (it captures 1, 2) [layer-not-captured]
  16 |   scores: { kind: project, of: [answers, clean], onto: vectors, layers: 1-20 }
     |                                                                         ^^^^
  hint: add 9 to the capture layers of "answers"

workflows/audit.yaml:16:73: error: step "scores": traits kind, rude are wanted at layer 10, which step "answers" does not capture (it captures 1, 2) [layer-not-captured]
  16 |   scores: { kind: project, of: [answers, clean], onto: vectors, layers: 1-20 }
     |                                                                         ^^^^
  hint: add 10 to the capture layers of "answers"

… and 28 more at this place [layer-not-captured]

54 errors; nothing was started
`,
  ],
  [
    'a range of layers that goes beyond the model',
    (w) => w.edit(workflowFile, 'model: tiny, layers: [1, 2]', 'model: tiny, layers: 1-5'),
    `workflows/audit.yaml:8:50: error: step "vectors": layers 4 to 5 do not exist: model "tiny" has 4 layers [layer-out-of-range]
  8 |   vectors: { kind: extract, model: tiny, layers: 1-5 }
    |                                                  ^^^
  hint: layers are counted from 0 to 3

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
    'a reference of scenarios, and answers to them that fill the context',
    (w) => {
      w.edit(workflowFile, 'from: ../traits', 'from: ../scenarios')
      w.edit(workflowFile, 'model: tiny, layers', 'model: tiny, reference: calm, max_new_tokens: 512, layers')
    },
    `workflows/audit.yaml:8:53: error: step "vectors": the reference "calm" has scenarios, and it takes pairs of written answers [reference]
  8 |   vectors: { kind: extract, model: tiny, reference: calm, max_new_tokens: 512, layers: [1, 2] }
    |                                                     ^^^^
  hint: name a contrast set of pairs

workflows/audit.yaml:8:75: error: step "vectors": 512 new tokens leave no room for a prompt in the context of model "tiny", 512 tokens [context]
  8 |   vectors: { kind: extract, model: tiny, reference: calm, max_new_tokens: 512, layers: [1, 2] }
    |                                                                           ^^^

2 errors; nothing was started
`,
  ],
  [
    'vectors at the end of prompts, of pairs of answers and with a reference',
    (w) => w.edit(workflowFile, 'model: tiny, layers', 'model: tiny, position: "prompt[-1]", traits: [kind], reference: rude, layers'),
    `workflows/audit.yaml:8:52: error: step "vectors": at prompt[-1] the two answers of a pair are one and the same: kind [position]
  8 |   vectors: { kind: extract, model: tiny, position: "prompt[-1]", traits: [kind], reference: rude, layers: [1, 2] }
    |                                                    ^^^^^^^^^^^^
  hint: take a position of the response, or the traits of scenarios alone

workflows/audit.yaml:8:93: error: step "vectors": a reference is measured on answers, and there are none [position]
  8 |   vectors: { kind: extract, model: tiny, position: "prompt[-1]", traits: [kind], reference: rude, layers: [1, 2] }
    |                                                                                             ^^^^
  hint: take a position of the response, or leave the reference out

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
])
