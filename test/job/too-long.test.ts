import { refuses } from '../support/complaint.ts'
import { promptSet, workflowFile } from '../support/workspace.ts'

const sentence = 'Tell me about the sea and its tides, at some length. '
const words = (count: number): string => `rain${' rain'.repeat(count - 1)}`

refuses([
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
])
