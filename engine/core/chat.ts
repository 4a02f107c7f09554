import type { Digest } from './digest.ts'
import type { ModelSource, Turn } from './sources.ts'

/** What a step has a model read at once: a question within the chat template, what was said before it and what follows it. */
export interface Chat {
  readonly model: ModelSource
  /** The entry of a source that it is; `file` where the source has several. */
  readonly of: { readonly source: 'prompt-set' | 'trait'; readonly name: string; readonly id: string; readonly file?: string }
  readonly system: string | null
  readonly earlier?: readonly Turn[] | undefined
  readonly prompt: string
  /** With what the model's own answer begins. */
  readonly prefill?: string | undefined
  /** Written answers, of which one at a time follows. */
  readonly answers: readonly string[]
  /** Tokens of a written answer that are read at most; null: all. */
  readonly answerTokens: number | null
  /** Tokens that the model then adds at most. */
  readonly newTokens: number
}

/** Remembers how many tokens chats have, each by a digest of its texts and of what splits them. */
export interface LengthMemory {
  recall(chats: readonly Digest[]): ReadonlyMap<Digest, number>
  remember(lengths: ReadonlyMap<Digest, number>): void
}
