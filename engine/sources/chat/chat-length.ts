import type { Chat, LengthMemory } from '../../core/chat.ts'
import { type Digest, digestOfJson } from '../../core/digest.ts'
import type { ModelSource } from '../../core/sources.ts'
import { templateOf } from './chat-template.ts'
import type { SourceFiles } from '../files/files.ts'
import { fewestTokens, mostTemplateTokens, mostTokens } from './token-bounds.ts'
import { openTokenizer, type Tokenizer } from './tokenizer.ts'

/** Tokens of a chat, without those that the model adds. */
export interface ChatLength {
  readonly tokens: number
  /** Otherwise it has at least so many. */
  readonly exact: boolean
}

/** Tells how long chats are for one model. */
export interface ChatMeter {
  /** Whether a chat is within the context however its text is split. Cheap: no tokenizer is opened. */
  surelyFits(chat: Chat): boolean
  /** Exact where the model's tokenizer and chat template are on this machine and can be used. */
  measure(chats: readonly Chat[]): Promise<readonly ChatLength[]>
}

/** Characters beyond which a text that cannot fit is not split only to say by how much. */
const longText = 1_000_000

export function chatMeter(model: ModelSource, files: SourceFiles, memory: LengthMemory): ChatMeter {
  const { contextLength } = model.facts
  const template = model.told.plain && model.path !== null ? '' : templateOf(model, files)
  return {
    surelyFits(chat) {
      if (template === null) return false
      const texts = textsOf(chat)
      const said = texts.reduce((sum, text) => sum + mostTokens(text), 0)
      const most = mostTemplateTokens(template, texts.length) + said + ofAnswer(chat, mostTokens)
      return most + chat.newTokens <= contextLength
    },
    async measure(chats) {
      if (model.path === null || template === null) return chats.map((chat) => lengthOf(chat, null, contextLength))
      const names = chats.map(nameOf)
      const known = memory.recall(names)
      const tokenizer = names.some((name) => !known.has(name)) ? await openTokenizer(model.path, template, files, model.told) : null
      const counted = new Map<Digest, number>()
      const lengths = chats.map((chat, index): ChatLength => {
        const name = names[index] as Digest
        const tokens = known.get(name) ?? counted.get(name)
        if (tokens !== undefined) return { tokens, exact: true }
        const length = lengthOf(chat, tokenizer, contextLength)
        if (length.exact) counted.set(name, length.tokens)
        return length
      })
      if (counted.size > 0) memory.remember(counted)
      return lengths
    },
  }
}

/** Of the texts, and of what splits them: weights have no part in it. */
function nameOf({ model, system, earlier, prompt, prefill, answers, answerTokens }: Chat): Digest {
  const { weights: _weights, ...splits } = model.identity
  const more = { ...(earlier === undefined ? {} : { earlier }), ...(prefill === undefined ? {} : { prefill }) }
  return digestOfJson({ splits, system, prompt, answers, answerTokens, ...more })
}

/** All that is said to the model, but for the template: its system prompt first, empty where it has none. */
function textsOf({ system, earlier = [], prompt, prefill = '' }: Chat): string[] {
  return [system ?? '', ...earlier.map(({ content }) => content), prompt + prefill]
}

function lengthOf(chat: Chat, tokenizer: Tokenizer | null, contextLength: number): ChatLength {
  const text = textsOf(chat).join(' ')
  const roughly = { tokens: fewestTokens(text) + ofAnswer(chat, fewestTokens), exact: false }
  if (tokenizer === null) return roughly
  const fewest = Math.max(roughly.tokens, Math.ceil(text.length / tokenizer.longest))
  if (text.length > longText && fewest + chat.newTokens > contextLength) return { tokens: fewest, exact: false }
  try {
    return { tokens: tokenizer.chat(chat) + ofAnswer(chat, tokenizer.text), exact: true }
  } catch {
    // A template that refuses the chat is told of as a mistake of its own (refusals.ts); of one that needs more of Jinja
    // than is here, the sidecar tells.
    return roughly
  }
}

/** Tokens of the longest answer that are read. */
function ofAnswer({ answers, answerTokens }: Chat, count: (text: string) => number): number {
  return answers.reduce((most, answer) => Math.max(most, Math.min(count(answer), answerTokens ?? Number.POSITIVE_INFINITY)), 0)
}
