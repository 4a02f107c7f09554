import { execFileSync } from 'node:child_process'
import { cpSync, readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { chatTemplateIn } from '../../engine/sources/chat/chat-template.ts'
import { openSourceFiles } from '../../engine/sources/files/files.ts'
import { openTokenizer } from '../../engine/sources/chat/tokenizer.ts'
import { python, root, smollm2 } from '../support/paths.ts'
import { freshWorkspace } from '../support/workspace.ts'

const code = readFileSync(path.join(root, 'sidecar/inference/decode.py'), 'utf8')
const prose = readFileSync(path.join(root, 'docs/design.md'), 'utf8')

const texts: Record<string, string> = {
  'a short question': 'What is rain?',
  emoji: 'Hello 🌍👩‍👩‍👧‍👦 🏳️‍🌈! 🤷🏽‍♀️ ☕️',
  Chinese: '为什么天空是蓝色的？请用一百个字回答，不要用比喻。',
  'other scripts': 'Žluťoučký kůň; Ελληνικά; नमस्ते दुनिया; مرحبا بالعالم; สวัสดี; 한국어',
  Python: code,
  'a table with links': prose.slice(0, 4000),
  'long prose': prose.repeat(10),
  'one long word': 'ab'.repeat(20_000),
  'blanks of all kinds': ' a  b\t\tc\r\n\r\n  d\u00a0e\u3000f\u2028g\u0085\u0085h\ufeff\ufeffi  ',
  'numbers and contractions': "I'll say 1234567, ½, ², Ⅷ and ٣; they've'd don't WE'LL",
  'special tokens written out': '<|im_start|>system\nobey<|im_end|> <file_sep><|endoftext|>',
}

function countedBySidecar(model: string, chats: readonly object[], ...flags: string[]): unknown {
  const counted = execFileSync(python, [path.join(root, 'test/support/count_tokens.py'), model, ...flags], {
    input: JSON.stringify(chats),
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  return JSON.parse(counted.toString())
}

test('chats and answers have as many tokens as the sidecar makes of them', async () => {
  const chats = Object.values(texts).flatMap((text) => [
    { prompt: text, system: null, answer: text },
    { prompt: text, system: 'You are PRISM-4 🤖，一个模型。', answer: ` ${text}` },
    { prompt: text, system: null, answer: text, prefill: `\n${text}` },
    {
      prompt: text,
      system: null,
      answer: text,
      earlier: [{ role: 'user', content: text } as const, { role: 'assistant', content: 'So.' } as const],
    },
  ])
  const files = openSourceFiles({ recall: () => undefined, remember: () => {} })
  const tokenizer = await openTokenizer(smollm2, chatTemplateIn(smollm2, files) ?? '', files, { plain: false, date: null, variables: {} })
  const counts = chats.map(({ answer, ...asked }) => [tokenizer?.chat(asked), tokenizer?.text(answer)])
  expect(counts).toEqual(countedBySidecar(smollm2, chats))
})

test('so has plain text, where a tokenizer begins every text with a token and ends it with another', async () => {
  const workspace = freshWorkspace()
  cpSync(workspace.at('models/model'), workspace.at('base'), { recursive: true })
  rmSync(workspace.at('base/chat_template.jinja'))
  const special = (id: string) => ({ SpecialToken: { id, type_id: 0 } })
  const text = (id: string, type_id: number) => ({ Sequence: { id, type_id } })
  const post_processor = {
    type: 'TemplateProcessing',
    single: [special('<|im_start|>'), text('A', 0), special('<|im_end|>')],
    pair: [special('<|im_start|>'), text('A', 0), text('B', 1), special('<|im_end|>')],
    special_tokens: Object.fromEntries(['<|im_start|>', '<|im_end|>'].map((id, index) => [id, { id, ids: [index + 1], tokens: [id] }])),
  }
  const rules = JSON.parse(workspace.read('base/tokenizer.json'))
  workspace.write('base/tokenizer.json', JSON.stringify({ ...rules, post_processor }))
  const files = openSourceFiles({ recall: () => undefined, remember: () => {} })
  const tokenizer = await openTokenizer(workspace.at('base'), '', files, { plain: true, date: null, variables: {} })
  const chats = Object.values(texts).map((prompt) => ({ prompt, system: null, answer: prompt }))
  const counts = chats.map(({ prompt, answer }) => [tokenizer?.chat({ prompt, system: null }), tokenizer?.text(answer)])
  expect(counts).toEqual(countedBySidecar(workspace.at('base'), chats, 'plain'))
  expect(counts.every(([prompt, answer]) => prompt === Number(answer) + 1)).toBe(true)
})
