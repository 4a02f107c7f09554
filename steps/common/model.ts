import type { ModelSource } from '../../engine/core/sources.ts'
import type { Components, LoadedState, Origin, Problem } from '../../engine/core/step-kind.ts'

/** Key components of a model that turns text into tokens: its whole identity. */
export function textModelComponents(model: ModelSource): Components {
  return { model: { ...model.identity }, dtype: model.dtype, quantization: model.quantization }
}

/** Key components of a model that is fed token ids: its tokenizer and template do not matter. */
export function tokenModelComponents(state: LoadedState): Components {
  const { identity, dtype, quantization } = state.base
  const { weights, config } = identity
  return { model: { weights: weights ?? null, config: config ?? null }, dtype, quantization, adapter: state.adapter?.digest ?? null }
}

/** A rough count, for forecasts only: English text has about four characters a token. */
export function estimateTokens(text: string): number {
  return Math.ceil(text.length / 4) + 8
}

/**
 * Fewer tokens than this no text is taken for: of what people write, not even a long word of the vocabulary has more
 * than so many characters a token on average. A run of one character counts once, since there are tokens for many blanks or
 * dashes.
 */
export function fewestTokens(text: string): number {
  return Math.ceil(text.replaceAll(/(.)\1+/gs, '$1').length / 8)
}

/**
 * Texts that cannot fit the model's context, however its tokenizer splits them, with `room` tokens after them. The
 * sidecar counts exactly when it comes to each.
 */
export function contextProblems(
  texts: readonly { readonly name: string; readonly text: string }[],
  room: number,
  { facts, name: model }: ModelSource,
  path: readonly string[],
): Problem[] {
  const rule = 'context'
  const context = `the context of model "${model}", ${facts.contextLength} tokens`
  if (room >= facts.contextLength) return [{ rule, message: `${room} new tokens leave no room for a prompt in ${context}`, path }]
  const tooLong = texts.filter(({ text }) => fewestTokens(text) + room > facts.contextLength)
  const [first] = tooLong
  if (!first) return []
  const tokens = `at least ${fewestTokens(first.text)} tokens${room > 0 ? ` and ${room} new ones` : ''}`
  const others = tooLong.length > 1 ? `; so it is with ${tooLong.length} of them` : ''
  return [{ rule, message: `${first.name} does not fit ${context}: ${tokens}${others}`, hint: 'shorten it, or leave it out', path }]
}

/** Where the components of a model come from. */
export function textModelOrigins({ name }: ModelSource): Record<string, Origin> {
  return {
    model: { from: 'model', name },
    dtype: { from: 'workflow', path: ['models', name, 'dtype'] },
    quantization: { from: 'workflow', path: ['models', name, 'quantization'] },
  }
}

/** The same for a model with or without an adapter. */
export function tokenModelOrigins({ base, adapter }: LoadedState): Record<string, Origin> {
  return { ...textModelOrigins(base), ...(adapter ? { adapter: { from: 'organism', name: adapter.name } } : {}) }
}
