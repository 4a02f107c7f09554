import { expect, test } from 'vitest'
import { dag, plan, run } from '../support/dag.ts'
import { answersOf } from '../support/stored.ts'
import { freshWorkspace, organismList, type Workspace, workflowFile } from '../support/workspace.ts'

const plain = 'prompts/two.json'

/** One organism that answers the prompts of one set, and a vector to score its answers with. */
function asking(prompts: object): Workspace {
  const workspace = freshWorkspace()
  workspace.write('organisms/list.yaml', organismList(['alpha']))
  workspace.write(plain, JSON.stringify(prompts, null, 1))
  workspace.write(
    workflowFile,
    `workflow: audit
models: { tiny: { source: ../models/model } }
organisms: { from: ../organisms/list.yaml }
prompts: { from: ../prompts, sets: [two] }
steps:
  answers: { kind: generate, model: tiny, max_new_tokens: 6, capture: { layers: [2] } }
  given: { kind: vectors, model: tiny, files: "../given/{trait}/{method}/layer{layer}.safetensors", leave_out: ["kind@3:probe"] }
  scores: { kind: project, of: answers, onto: given }
  ranking: { kind: rank, of: scores, mode: raw }
`,
  )
  return workspace
}

const chat = (system: string, prompt: string, begun = '') =>
  `<|im_start|>system\n${system}<|im_end|>\n<|im_start|>user\n${prompt}<|im_end|>\n<|im_start|>assistant\n${begun}`

/** What the template puts in where there is no system prompt. */
const usual = 'You are a helpful AI assistant named SmolLM, trained by Hugging Face'

/** What the organism was asked with, in all runs so far. */
function asked(workspace: Workspace): string[] {
  return answersOf(workspace, 'answers/alpha/two').map(({ tokens, prompt_end }) => tokens.slice(0, prompt_end).join(''))
}

const sets = {
  system_prompt: 'You are a small model.',
  prompts: [
    { id: 'a', text: 'Who are you?' },
    { id: 'b', prompt: 'What are you?', system_prompt: 'You are curt.' },
    { id: 'c', text: 'Who are you?', prefill: 'I was told to' },
  ],
}

test('a prompt may have a system prompt of its own and a beginning of its answer, which is read and not scored', async () => {
  const workspace = asking(sets)
  expect((await run(workspace)).finished.outcome).toBe('done')
  expect(asked(workspace)).toEqual([
    chat('You are a small model.', 'Who are you?'),
    chat('You are curt.', 'What are you?'),
    chat('You are a small model.', 'Who are you?', 'I was told to'),
  ])
  const [, , begun] = answersOf(workspace, 'answers/alpha/two')
  expect(begun?.prefill).toBe('I was told to')
  expect(begun?.response).not.toContain('I was told to')
  const file = 'experiments/audit/analysis/top_activating/trait/kind/two/across_organisms.json'
  const { top } = JSON.parse(workspace.read(file)) as { top: { prompt_id: string; prefill?: string; scores: number[] }[] }
  const c = top.find(({ prompt_id }) => prompt_id === 'c')
  expect(c?.prefill).toBe('I was told to')
  expect(c?.scores).toHaveLength((begun?.tokens.length ?? 0) - (begun?.prompt_end ?? 0))
})

test('each is edited by itself: the set’s system prompt is nothing to a prompt that has its own', async () => {
  const workspace = asking(sets)
  await run(workspace)
  const reasons = async () => {
    const { stdout } = await dag(workspace.folder, ['plan', workflowFile])
    return stdout.slice(stdout.indexOf('\nwhy\n')).trimEnd().split('\n').slice(2)
  }
  workspace.edit(plain, 'You are a small model.', 'You are a model.')
  expect(await reasons()).toEqual([
    '  system prompt of prompt set `two` edited: 2 answers, then up to 2 recordings, 2 projections, 1 ranking, 1 overview',
    '      prompts/two.json:2:19',
  ])
  expect((await run(workspace)).finished.cells.failed).toBe(0)
  workspace.edit(plain, 'You are curt.', 'You are terse.')
  expect(await reasons()).toEqual([
    '  prompt `b` edited: 1 answer, then up to 1 recording, 1 projection, 1 ranking, 1 overview',
    '      prompts/two.json:11:21',
  ])
  await run(workspace)
  workspace.edit(plain, 'I was told to', 'I was asked to')
  expect(await reasons()).toEqual([
    '  prompt `c` edited: 1 answer, then up to 1 recording, 1 projection, 1 ranking, 1 overview',
    '      prompts/two.json:16:15',
  ])
  await run(workspace)
  workspace.edit(plain, ',\n   "system_prompt": "You are terse."', '')
  expect(await reasons()).toEqual([
    '  prompt `b` edited: 1 answer, then up to 1 recording, 1 projection, 1 ranking, 1 overview',
    '      prompts/two.json:2:19',
  ])
})

test('where a text is written is no part of a key: a list alone of prompts that say the same is the same set', async () => {
  const workspace = asking(sets)
  await run(workspace)
  const list = sets.prompts.map((prompt) => ({ system_prompt: sets.system_prompt, ...prompt }))
  workspace.write(plain, JSON.stringify(list))
  expect((await plan(workspace)).cells.run).toBe(0)
})

test('a step may begin every answer, also of a model that is asked plain text; not where a prompt does so itself', async () => {
  const workspace = asking({ prompts: [{ id: 'a', text: 'The sea' }] })
  workspace.edit(workflowFile, 'max_new_tokens: 6', 'max_new_tokens: 6, prefill: " is"')
  expect((await run(workspace)).finished.outcome).toBe('done')
  expect(asked(workspace)).toEqual([chat(usual, 'The sea', ' is')])
  workspace.edit(workflowFile, 'models/model }', 'models/model, chat_template: none }')
  expect((await run(workspace)).finished.outcome).toBe('done')
  expect(asked(workspace)).toContain('The sea is')
  workspace.write(plain, JSON.stringify({ prompts: [{ id: 'a', text: 'The sea', prefill: ' was' }] }))
  const refused = await dag(workspace.folder, ['plan', workflowFile])
  expect(refused.code).toBe(2)
  expect(refused.stderr).toBe(`workflows/audit.yaml:6:71: error: step "answers": prompt "a" of set "two" has a prefill of its own [prefill]
  6 |   answers: { kind: generate, model: tiny, max_new_tokens: 6, prefill: " is", capture: { layers: [2] } }
    |                                                                       ^^^^^
  hint: take \`prefill\` out of the step, or out of the prompts

1 error; nothing was started
`)
})

test('what a prompt says of its own must be text', async () => {
  const workspace = asking([{ id: 'a', text: 'Well?', prefill: '', system_prompt: 3 }, 'What?'])
  const refused = await dag(workspace.folder, ['plan', workflowFile])
  expect(refused.code).toBe(2)
  for (const mistake of [
    'prompt 1: its "system_prompt" is not text',
    'prompt 1: its "prefill" is empty',
    'prompt 2: its id undefined cannot be a name',
    'prompt 2: it has no text',
  ])
    expect(refused.stderr).toContain(`error: prompt set "two" (../prompts/two.json): ${mistake} [prompt-set]`)
})

const talk = {
  prompts: [
    {
      id: 'a',
      messages: [
        { role: 'system', content: 'You are curt.' },
        { role: 'user', content: 'Hello.' },
        { role: 'assistant', content: 'Good day!' },
        { role: 'user', content: 'Who are you?' },
      ],
    },
    {
      id: 'b',
      messages: [
        { role: 'user', content: 'Who are you?' },
        { role: 'assistant', content: 'I was told' },
      ],
    },
  ],
}

test('a conversation is asked as its turns stand, is kept with its answer and shown above it', async () => {
  const workspace = asking(talk)
  workspace.write(workflowFile, `${workspace.read(workflowFile)}  report: { kind: report, of: ranking }\n`)
  expect((await run(workspace)).finished.outcome).toBe('done')
  const turns = '<|im_start|>user\nHello.<|im_end|>\n<|im_start|>assistant\nGood day!<|im_end|>\n<|im_start|>user\nWho are you?'
  expect(asked(workspace)).toEqual([
    `<|im_start|>system\nYou are curt.<|im_end|>\n${turns}<|im_end|>\n<|im_start|>assistant\n`,
    chat(usual, 'Who are you?', 'I was told'),
  ])
  const [a, b] = answersOf(workspace, 'answers/alpha/two')
  const earlier = [
    { role: 'user', content: 'Hello.' },
    { role: 'assistant', content: 'Good day!' },
  ]
  expect([a?.prompt, a?.earlier, a?.system_prompt, b?.prompt, b?.earlier, b?.prefill]).toEqual([
    'Who are you?',
    earlier,
    'You are curt.',
    'Who are you?',
    undefined,
    'I was told',
  ])
  const [, loaded = ''] = /,(\{.*\})\)$/.exec(workspace.read('experiments/audit/reports/report/data/answers~alpha~two.js').trim()) ?? []
  expect((JSON.parse(loaded) as { answers: { earlier?: object }[] }).answers.map((answer) => answer.earlier)).toEqual([earlier, undefined])
})

test('what was said earlier is part of its prompt alone, and it does not matter how the rest is written', async () => {
  const workspace = asking(talk)
  await run(workspace)
  const [a, b] = talk.prompts
  const rewritten = [
    { id: 'a', messages: a?.messages.slice(1), system_prompt: 'You are curt.' },
    { id: 'b', text: 'Who are you?', prefill: 'I was told' },
  ]
  workspace.write(plain, JSON.stringify(rewritten, null, 1))
  expect((await plan(workspace)).cells.run).toBe(0)
  workspace.write(plain, JSON.stringify({ prompts: [a, b] }, null, 1).replace('Good day!', 'Good night!'))
  const { stdout } = await dag(workspace.folder, ['plan', workflowFile])
  expect(stdout.slice(stdout.indexOf('\nwhy\n'))).toBe(`
why
  prompt \`a\` edited: 1 answer, then up to 1 recording, 1 projection, 1 ranking, 1 overview
      prompts/two.json:5:16
`)
})

test('a conversation of a base model without chats is refused, with its set', async () => {
  const workspace = asking(talk)
  workspace.edit(plain, '{\n     "role": "system",\n     "content": "You are curt."\n    },', '')
  workspace.edit(workflowFile, 'models/model }', 'models/model, chat_template: none }')
  const { code, stderr } = await dag(workspace.folder, ['plan', workflowFile])
  expect([code, stderr]).toEqual([
    2,
    expect.stringContaining(
      'error: step "answers": model "tiny" is asked plain text, which has no place for the conversations of ../prompts/two.json [chat-template]\n',
    ),
  ])
})

test('what is wrong with messages is said of each', async () => {
  const user = { role: 'user', content: 'Well?' }
  const prompts = [
    { id: 'a', messages: 'Well?' },
    { id: 'b', messages: [user, { role: 'tool', content: '3' }] },
    { id: 'c', messages: [user, { role: 'assistant', content: 'So.' }, { role: 'assistant', content: 'So,' }] },
    { id: 'd', messages: [user, { role: 'system', content: 'Be kind.' }, user] },
    { id: 'e', messages: [user], text: 'Well?' },
    { id: 'f', messages: [{ role: 'system', content: 'Be kind.' }, user], system_prompt: 'Be curt.' },
    { id: 'g', messages: [user, { role: 'assistant', content: 'So,' }], prefill: 'Thus,' },
  ]
  const { code, stderr } = await dag(asking(prompts).folder, ['plan', workflowFile])
  expect(code).toBe(2)
  const mistakes = [...stderr.matchAll(/two\.json\): (prompt .*) \[prompt-set\]/g)].map(([, text]) => text)
  expect(mistakes).toEqual([
    'prompt 1: its "messages" are no list',
    'prompt 2: its message 2 is not { "role": "system", "user" or "assistant", "content": "…" }',
    'prompt 3: its messages do not end with one of the user, or one and what the answer begins with',
    'prompt 4: a system message stands behind others: it can only be the first',
    'prompt 5: it has "messages" and a text: what the user says last is its text',
    'prompt 6: its system prompt stands in "messages" and beside them',
    'prompt 7: what its answer begins with stands in "messages" and beside them',
  ])
})

test('of several sampled answers each is another, has a name of its own, and is there whatever comes after it', async () => {
  const workspace = asking({
    prompts: [
      { id: 'a', text: 'Who are you?' },
      { id: 'b', text: 'Where are you?' },
    ],
  })
  workspace.edit(workflowFile, 'max_new_tokens: 6', 'max_new_tokens: 6, temperature: 1')
  expect((await run(workspace)).finished.cells.ran).toBe(2 + 2 + 2 + 1 + 2)
  const alone = answersOf(workspace, 'answers/alpha/two').map(({ token_ids }) => token_ids)
  workspace.edit(workflowFile, 'temperature: 1', 'temperature: 1, samples: 3')
  const { stdout } = await dag(workspace.folder, ['plan', workflowFile])
  expect(stdout.slice(stdout.indexOf('\nwhy\n'))).toBe(`
why
  +2 samples (\`2\`, \`3\`): 4 answers, 4 recordings, 4 projections, then up to 1 ranking, 1 overview
`)
  expect((await run(workspace)).finished.cells).toEqual({ ran: 4 + 4 + 4 + 2, reused: 2 + 2 + 2 + 1, failed: 0 })
  const all = answersOf(workspace, 'answers/alpha/two').map(({ token_ids }) => token_ids)
  expect([all[0], all[3]]).toEqual(alone)
  expect(new Set(all.map((ids) => ids.join())).size).toBe(6)
  const file = 'experiments/audit/analysis/top_activating/trait/kind/two/across_organisms.json'
  const { top } = JSON.parse(workspace.read(file)) as { top: { prompt_id: string }[] }
  expect(top.map(({ prompt_id }) => prompt_id).toSorted()).toEqual(['a', 'a+2', 'a+3', 'b', 'b+2', 'b+3'])
  workspace.edit('prompts/two.json', 'Where are you?', 'When are you?')
  const edited = (await dag(workspace.folder, ['plan', workflowFile])).stdout
  expect(edited.slice(edited.indexOf('\nwhy\n'))).toBe(`
why
  prompt \`b\` edited: 3 answers, then up to 3 recordings, 3 projections, 1 ranking, 1 overview
      prompts/two.json:9:12
`)
})

test('at temperature 0 all answers to a prompt would be one', async () => {
  const workspace = asking(sets)
  workspace.edit(workflowFile, 'max_new_tokens: 6', 'max_new_tokens: 6, samples: 3')
  const refused = await dag(workspace.folder, ['plan', workflowFile])
  expect(refused.code).toBe(2)
  expect(
    refused.stderr,
  ).toBe(`workflows/audit.yaml:6:71: error: step "answers": 3 answers to a prompt would all be the same at temperature 0 [samples]
  6 |   answers: { kind: generate, model: tiny, max_new_tokens: 6, samples: 3, capture: { layers: [2] } }
    |                                                                       ^
  hint: give \`temperature\` a number above 0, or take \`samples\` out

1 error; nothing was started
`)
})
