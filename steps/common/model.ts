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

/** New tokens that alone fill the model's context. */
export function roomProblems(newTokens: number, { facts, name }: ModelSource, path: readonly string[]): Problem[] {
  if (newTokens < facts.contextLength) return []
  const message = `${newTokens} new tokens leave no room for a prompt in the context of model "${name}", ${facts.contextLength} tokens`
  return [{ rule: 'context', message, path }]
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
