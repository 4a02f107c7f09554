import { expect, test } from 'vitest'
import type { Chat, LengthMemory } from '../../engine/core/chat.ts'
import type { Digest } from '../../engine/core/digest.ts'
import { ok } from '../../engine/core/result.ts'
import type { ModelSource } from '../../engine/core/sources.ts'
import { chatMeter } from '../../engine/sources/chat/chat-length.ts'
import type { SourceFiles } from '../../engine/sources/files/files.ts'

/** A tokenizer that knows letters alone, and a template of 4 tokens beside the texts. */
const letters = 'abcdefghijklmnopqrstuvwxyz<>:?▁'.split('')
const tokenizerJson = {
  model: { type: 'BPE', vocab: Object.fromEntries([...letters, 'ab', 'abab'].map((entry, id) => [entry, id])), merges: ['a b', 'ab ab'] },
  normalizer: { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
  pre_tokenizer: null,
  post_processor: null,
  decoder: null,
  added_tokens: [],
}
const template =
  '{% for m in messages %}{% if m.role == "system" %}{{ m.content + ":" }}{% else %}{{ "<" + m.content + ">" }}{% endif %}{% endfor %}'

const model = (contextLength: number, path: string | null = '/model'): ModelSource => ({
  name: 'm',
  origin: 'm',
  path,
  devices: ['cpu'],
  dtype: 'bfloat16',
  quantization: null,
  told: { plain: false, date: null, variables: {} },
  identity: { weights: 'w', tokenizer: 't', chat_template: 'c' },
  facts: { layers: 1, hidden: 1, parameters: 1, activeParameters: 1, expertParameters: 0, contextLength, keyValues: 1 },
})

const chat = (prompt: string, more: Partial<Chat> = {}): Chat => ({
  model: model(4000),
  of: { source: 'prompt-set', name: 'one', id: 'one_1' },
  system: null,
  prompt,
  answers: [],
  answerTokens: null,
  newTokens: 10,
  ...more,
})

/** The model's folder, and which of its files were read. */
function modelFiles(given: string | null = template, settings: object = {}) {
  const read: string[] = []
  const files = {
    exists: () => given !== null,
    text: () => ok(given ?? ''),
    json: (file: string) => {
      read.push(file)
      return ok(file.endsWith('/tokenizer.json') ? tokenizerJson : settings)
    },
  } as unknown as SourceFiles
  return { files, read }
}

function emptyMemory(): LengthMemory & { readonly kept: Map<Digest, number> } {
  const kept = new Map<Digest, number>()
  return {
    kept,
    recall: (names) => new Map(names.flatMap((name): [Digest, number][] => (kept.has(name) ? [[name, kept.get(name) ?? 0]] : []))),
    remember: (lengths) => {
      for (const [name, tokens] of lengths) kept.set(name, tokens)
    },
  }
}

test('a chat whose bytes are within the context surely fits, and no tokenizer is opened for it', () => {
  const { files, read } = modelFiles()
  const room = 4000 - 2 * template.length - 64 - 2 - 10
  const meter = chatMeter(model(4000), files, emptyMemory())
  expect([meter.surelyFits(chat('a'.repeat(room))), meter.surelyFits(chat('a'.repeat(room + 1)))]).toEqual([true, false])
  expect([
    meter.surelyFits(chat('a'.repeat(room - 5), { system: 'abcde' })),
    meter.surelyFits(chat('a'.repeat(room - 4), { system: 'abcde' })),
  ]).toEqual([true, false])
  expect(read).toEqual([])
})

test('of answers the longest counts, and of it the tokens that are read', async () => {
  const meter = chatMeter(model(4000), modelFiles().files, emptyMemory())
  const answers = ['xyz', 'abab'.repeat(7)]
  const lengths = await meter.measure([
    chat('why?'),
    chat('why?', { answers }),
    chat('why?', { answers, answerTokens: 5 }),
    chat('why?', { system: 'be kind' }),
  ])
  expect(lengths).toEqual([6, 13, 11, 14].map((tokens) => ({ tokens, exact: true })))
})

test('a chat that was counted once is not counted again, whatever the weights are', async () => {
  const memory = emptyMemory()
  const first = await chatMeter(model(4000), modelFiles().files, memory).measure([chat('ab'), chat('ab'), chat('abc')])
  const { files, read } = modelFiles()
  const others = { ...model(4000), identity: { ...model(4000).identity, weights: 'others' } }
  const again = await chatMeter(others, files, memory).measure([chat('ab', { model: others }), chat('ab'), chat('abc')])
  expect(again).toEqual(first)
  expect([memory.kept.size, read]).toEqual([2, []])
})

test('without a tokenizer, a template, or with one that refuses the chat, there is only the least that it has', async () => {
  const least = [{ tokens: 2, exact: false }]
  const asked = [chat('why do cats purr so')]
  expect(await chatMeter(model(4000, null), modelFiles().files, emptyMemory()).measure(asked)).toEqual([{ tokens: 3, exact: false }])
  expect(await chatMeter(model(4000), modelFiles(null).files, emptyMemory()).measure(asked)).toEqual([{ tokens: 3, exact: false }])
  const refusing = modelFiles('{{ raise_exception("no") }}').files
  expect(await chatMeter(model(4000), refusing, emptyMemory()).measure([chat('why do cats?')])).toEqual(least)
})

test('a text of millions of characters that cannot fit is not split only to say by how much', async () => {
  const memory = emptyMemory()
  expect(await chatMeter(model(4000), modelFiles().files, memory).measure([chat('a'.repeat(3_999_999))])).toEqual([
    { tokens: 1_000_000, exact: false },
  ])
  expect(memory.kept.size).toBe(0)
})

test('a template is told of no tools, and of the names of special tokens', async () => {
  const asking = '{{ eos_token }}{% if tools is not none %}with tools{% endif %}{{ messages[0].content }}'
  const { files } = modelFiles(asking, { eos_token: { content: '>' } })
  expect(await chatMeter(model(4000), files, emptyMemory()).measure([chat('why')])).toEqual([{ tokens: 4, exact: true }])
})
