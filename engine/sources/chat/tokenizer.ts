import path from 'node:path'
import type { Chat } from '../../core/chat.ts'
import { isList, isObject, type Json } from '../../core/json.ts'
import type { Told } from '../../core/sources.ts'
import { messagesOf, openTemplate } from './chat-template.ts'
import type { SourceFiles } from '../files/files.ts'

/** Splits text as the model in a folder does: the counts are those of the sidecar. */
export interface Tokenizer {
  /**
   * Tokens of a chat, or of plain text, up to where the answer begins, or goes on behind its `prefill`. Throws when the
   * template refuses the chat.
   */
  chat(chat: Pick<Chat, 'system' | 'earlier' | 'prompt' | 'prefill'>): number
  /** Tokens of a text alone, without special tokens around it. */
  text(text: string): number
  /** Characters of the longest entry of the vocabulary. */
  readonly longest: number
}

/**
 * The tokenizer of tokenizer.json in `folder` with a chat template and what it is `told`, or null where there is none that can be read.
 * Takes about 0.1 s for a vocabulary of 50,000, so it is opened only when something must be counted.
 */
export async function openTokenizer(folder: string, template: string, files: SourceFiles, told: Told): Promise<Tokenizer | null> {
  const content = files.json(path.join(folder, 'tokenizer.json'))
  const settings = files.json(path.join(folder, 'tokenizer_config.json'))
  if (!content.ok) return null
  const tokenizers = await import('@huggingface/tokenizers')
  try {
    const rules = { ...content.value, pre_tokenizer: spelledOut(content.value.pre_tokenizer ?? null) }
    const tokenizer = new tokenizers.Tokenizer(rules, settings.ok ? settings.value : {})
    const chat = await openTemplate(template, folder, files, told)
    const count = (text: string) => tokenizer.encode(text, { add_special_tokens: false }).ids.length
    const before = told.plain ? firstTokens(tokenizer.encode('a').ids, tokenizer.encode('a', { add_special_tokens: false }).ids) : 0
    return {
      chat: ({ prefill = '', ...asked }) =>
        told.plain ? before + count(asked.prompt + prefill) : count(chat.render(messagesOf(asked)) + prefill),
      text: count,
      longest: longestEntry(content.value.model),
    }
  } catch {
    return null
  }
}

/** Tokens that a tokenizer puts before a text: of all around it those in front. */
function firstTokens(whole: readonly number[], alone: readonly number[]): number {
  return Math.max(
    0,
    whole.findIndex((_, start) => alone.every((id, index) => whole[start + index] === id)),
  )
}

/** What splits text before byte-level BPE: GPT-2's expression. */
const byteLevelWords = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"

/**
 * The same rules with their expressions written out. The library takes those of a file as Unicode does, as the original
 * does; its own for `ByteLevel` and `Digits` have JavaScript's blanks and digits, which differ in U+FEFF, U+0085 and ².
 */
function spelledOut(rule: Json): Json {
  if (!isObject(rule)) return rule
  const { type, pretokenizers } = rule
  const split = (expression: string): Json => ({ type: 'Split', pattern: { Regex: expression }, behavior: 'Isolated', invert: false })
  if (type === 'Sequence' && pretokenizers !== undefined && isList(pretokenizers))
    return { ...rule, pretokenizers: pretokenizers.map(spelledOut) }
  if (type === 'Digits') return split(rule.individual_digits === true ? '\\p{N}' : '\\p{N}+')
  if (type === 'ByteLevel' && rule.use_regex !== false && rule.add_prefix_space !== true)
    return { type: 'Sequence', pretokenizers: [split(byteLevelWords), { ...rule, use_regex: false }] }
  return rule
}

/** BPE has its entries as names, unigram models as pairs of entry and score. */
function longestEntry(model: Json | undefined): number {
  const vocabulary = isObject(model) ? (model.vocab ?? null) : null
  const entries = isList(vocabulary) ? vocabulary.map((pair) => (isList(pair) ? String(pair[0]) : '')) : Object.keys(vocabulary ?? {})
  return entries.reduce((longest, entry) => Math.max(longest, entry.length), 1)
}
