import { ownAdapter, refuses } from '../support/complaint.ts'
import { workflowFile } from '../support/workspace.ts'

refuses([
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
    'scenarios that cannot be read, one side that is missing, and too few',
    (w) => {
      w.write('traits/calm/positive.jsonl', '{"prompt": "By day"}\n{"prompt": ""}\n[1]\n{"prompt": "At noon", "system_prompt": 3}\n{\n')
      w.write('traits/Loud/positive.txt', 'One\n\nTwo\n')
    },
    `workflows/audit.yaml:6:17: error: contrast set "Loud": positive.txt has 2 scenarios; at least 4 are needed [trait]
  6 | traits: { from: ../traits }
    |                 ^^^^^^^^^

workflows/audit.yaml:6:17: error: contrast set "Loud": it has neither negative.jsonl nor negative.txt [trait]
  6 | traits: { from: ../traits }
    |                 ^^^^^^^^^

workflows/audit.yaml:6:17: error: contrast set "Loud": its folder's name cannot be a name: names are lower-case letters, digits, ".", "_" and "-", start with a letter or digit, and hold no ".." [trait]
  6 | traits: { from: ../traits }
    |                 ^^^^^^^^^

workflows/audit.yaml:6:17: error: contrast set "calm": positive.jsonl, line 2: it has no "prompt" [trait]
  6 | traits: { from: ../traits }
    |                 ^^^^^^^^^

workflows/audit.yaml:6:17: error: contrast set "calm": positive.jsonl, line 3: it is no JSON object [trait]
  6 | traits: { from: ../traits }
    |                 ^^^^^^^^^

workflows/audit.yaml:6:17: error: contrast set "calm": positive.jsonl, line 4: its "system_prompt" is not text [trait]
  6 | traits: { from: ../traits }
    |                 ^^^^^^^^^

workflows/audit.yaml:6:17: error: contrast set "calm": positive.jsonl, line 5: it is not JSON: Expected property name or '}' in JSON at position 1 (line 1 column 2) [trait]
  6 | traits: { from: ../traits }
    |                 ^^^^^^^^^

workflows/audit.yaml:6:17: error: contrast set "calm": it has neither negative.jsonl nor negative.txt [trait]
  6 | traits: { from: ../traits }
    |                 ^^^^^^^^^

8 errors; nothing was started
`,
  ],
  [
    'two contrast sets of one name, in two folders',
    (w) => {
      for (const folder of ['moods', 'tones']) w.write(`traits/${folder}/calm/positive.txt`, 'At noon\n')
      w.write('traits/kind/negative.txt', 'At noon\n')
    },
    `workflows/audit.yaml:6:17: error: two contrast sets are called "kind": kind.json and kind of ../traits [trait]
  6 | traits: { from: ../traits }
    |                 ^^^^^^^^^
  hint: rename one of them

workflows/audit.yaml:6:17: error: two contrast sets are called "calm": moods/calm and tones/calm of ../traits [trait]
  6 | traits: { from: ../traits }
    |                 ^^^^^^^^^
  hint: name the one that is meant in \`only\`, as tones/calm

2 errors; nothing was started
`,
  ],
  [
    'a contrast set that there is not, in a folder that there is',
    (w) => w.edit(workflowFile, 'from: ../traits', 'from: ../scenarios, only: [moods/clam]'),
    `workflows/audit.yaml:6:38: error: there is no contrast set "moods/clam" in ../scenarios [unknown-trait]
  6 | traits: { from: ../scenarios, only: [moods/clam] }
    |                                      ^^^^^^^^^^
  hint: did you mean "moods/calm"?

1 error; nothing was started
`,
  ],
  [
    'a scenario that the context of the model cannot hold, and one with a system prompt for plain text',
    (w) => {
      w.edit(workflowFile, 'dtype: bfloat16', 'chat_template: none')
      w.edit(workflowFile, 'from: ../traits', 'from: ../scenarios')
      for (const set of ['one', 'two']) w.edit(`prompts/${set}.json`, '"You are a small model."', 'null')
      w.edit('scenarios/moods/calm/positive.txt', 'At noon', 'At noon '.repeat(300))
      w.write(
        'scenarios/moods/calm/negative.jsonl',
        '{"prompt": "a"}\n{"prompt": "b", "system_prompt": "c"}\n{"prompt": "d"}\n{"prompt": "e"}\n',
      )
    },
    `workflows/audit.yaml:6:17: error: step "vectors": model "tiny" is asked plain text, which has no place for the system prompt of ../scenarios/moods/calm/negative.jsonl [chat-template]
  6 | traits: { from: ../scenarios }
    |                 ^^^^^^^^^^^^
  hint: take \`system_prompt\` out of the file and put its text before the prompts'

workflows/audit.yaml:6:17: error: step "vectors": a scenario of ../scenarios/moods/calm/positive.txt does not fit the context of model "tiny", 512 tokens with 16 new ones: "positive_1" has 608 [context]
  6 | traits: { from: ../scenarios }
    |                 ^^^^^^^^^^^^
  hint: prompt may have 496 tokens: shorten it, take it out of the file, or lower max_new_tokens

2 errors; nothing was started
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
    'a category and a file of contrast pairs that cannot be folders',
    (w) => {
      w.edit('traits/kind.json', '"category": "behaviour"', '"category": "../../elsewhere"')
      w.write('traits/Rude @1.json', w.read('traits/rude.json'))
    },
    `workflows/audit.yaml:6:17: error: contrast set "Rude @1": its file's name cannot be a name: names are lower-case letters, digits, ".", "_" and "-", start with a letter or digit, and hold no ".." [trait]
  6 | traits: { from: ../traits }
    |                 ^^^^^^^^^

workflows/audit.yaml:6:17: error: contrast set "kind": its category "../../elsewhere" cannot be a name: names are lower-case letters, digits, ".", "_" and "-", start with a letter or digit, and hold no ".." [trait]
  6 | traits: { from: ../traits }
    |                 ^^^^^^^^^

2 errors; nothing was started
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
  hint: a prompt set is { "prompts": [{ "id": "p1", "text": "…" }] }, and may have a "system_prompt"

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

workflows/audit.yaml:16:74: error: step "scores": trait rude is wanted at layer 2, which step "answers" does not capture (it captures 1, 9) [layer-not-captured]
  16 |   scores: { kind: project, of: [answers, clean], onto: vectors, layers: [2] }
     |                                                                          ^
  hint: add 2 to the capture layers of "answers"

workflows/audit.yaml:16:74: error: step "scores": trait rude is wanted at layer 2, which step "clean" does not capture (it captures 1, 9) [layer-not-captured]
  16 |   scores: { kind: project, of: [answers, clean], onto: vectors, layers: [2] }
     |                                                                          ^
  hint: add 2 to the capture layers of "clean"

7 errors; nothing was started
`,
  ],
])
