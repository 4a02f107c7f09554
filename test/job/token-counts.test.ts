import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { chatTemplateIn } from '../../engine/sources/chat/chat-template.ts'
import { openSourceFiles } from '../../engine/sources/files/files.ts'
import { openTokenizer } from '../../engine/sources/chat/tokenizer.ts'
import { python, root, smollm2 } from '../support/paths.ts'

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

test('chats and answers have as many tokens as the sidecar makes of them', async () => {
  const chats = Object.values(texts).flatMap((text) => [
    { prompt: text, system: null, answer: text },
    { prompt: text, system: 'You are PRISM-4 🤖，一个模型。', answer: ` ${text}` },
  ])
  const counted = execFileSync(python, [path.join(root, 'test/support/count_tokens.py'), smollm2], {
    input: JSON.stringify(chats),
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  const files = openSourceFiles({ recall: () => undefined, remember: () => {} })
  const tokenizer = await openTokenizer(smollm2, chatTemplateIn(smollm2, files) ?? '', files, { date: null, variables: {} })
  const counts = chats.map(({ prompt, system, answer }) => [tokenizer?.chat(prompt, system), tokenizer?.text(answer)])
  expect(counts).toEqual(JSON.parse(counted.toString()))
})
