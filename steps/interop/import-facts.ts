import type { RecordingFacts } from '../../engine/core/experiment.ts'
import { isObject, type Json } from '../../engine/core/json.ts'

/** What a report needs to know of an answer. */
export interface AnswerFacts {
  readonly prompt: string
  readonly ids: readonly number[]
  /** Index of the first response token. */
  readonly end: number
  readonly lastToken: string
}

/** What a response file holds, or what is wrong with it. */
export function answerFacts(value: Json): AnswerFacts | { readonly wrong: string } {
  if (!isObject(value)) return { wrong: 'it does not hold a JSON object' }
  const { prompt, response, tokens, token_ids: ids, prompt_end: end } = value
  const missing = Object.entries({ prompt, response, tokens, token_ids: ids, prompt_end: end }).filter(([, field]) => field === undefined)
  if (missing.length > 0) return { wrong: `it lacks ${missing.map(([name]) => name).join(', ')}` }
  if (typeof prompt !== 'string' || typeof response !== 'string') return { wrong: 'its prompt or response is not text' }
  if (!isListOf('string', tokens) || !isListOf('number', ids)) return { wrong: 'its tokens are no texts or its token_ids no numbers' }
  if (tokens.length !== ids.length) return { wrong: `it has ${tokens.length} tokens and ${ids.length} token_ids` }
  if (!Number.isInteger(end) || Number(end) < 0 || Number(end) >= ids.length)
    return { wrong: `its prompt_end ${JSON.stringify(end)} is not before the last of ${ids.length} tokens` }
  return { prompt, ids, end: Number(end), lastToken: tokens.at(-1) as string }
}

function isListOf<T extends 'string' | 'number'>(type: T, value: unknown): value is (T extends 'string' ? string : number)[] {
  return Array.isArray(value) && value.every((item) => typeof item === type)
}

/** A rule that a recording breaks, and how. */
export interface Broken {
  readonly rule: 'recording' | 'other-tokens' | 'token-count' | 'not-finite'
  readonly wrong: string
}

/** A recording that fits its answer, as far as it is looked at alone. */
export interface RecordedShape {
  readonly layers: readonly number[]
  readonly hidden: number
}

/** Whether a recording is one of an answer's response tokens. */
export function recordingShape(facts: RecordingFacts, { ids, end }: AnswerFacts): RecordedShape | Broken {
  if ('wrong' in facts) return { rule: 'recording', wrong: facts.wrong }
  const response = ids.slice(end)
  const other = otherTokens(facts.promptIds, facts.responseIds, ids.slice(0, end), response)
  if (other !== null) return { rule: 'other-tokens', wrong: other }
  for (const { layer, tokens, nonFinite } of facts.layers) {
    if (tokens !== response.length)
      return { rule: 'token-count', wrong: `layer ${layer} has ${tokens} states for ${response.length} response tokens` }
    if (nonFinite > 0) return { rule: 'not-finite', wrong: `layer ${layer} is not finite at ${nonFinite} of ${tokens} tokens` }
  }
  if (facts.responseIds.length !== response.length)
    return { rule: 'token-count', wrong: `it has ${facts.responseIds.length} token ids for ${response.length} response tokens` }
  const sizes = new Set(facts.layers.map(({ hidden }) => hidden))
  if (sizes.size > 1) return { rule: 'recording', wrong: `its layers have states of ${[...sizes].join(' and ')} values` }
  return { layers: facts.layers.map(({ layer }) => layer), hidden: facts.layers[0]?.hidden ?? 0 }
}

/** In words, where token ids differ; that one list ends early is not told here. */
function otherTokens(
  promptIds: readonly number[],
  responseIds: readonly number[],
  prompt: readonly number[],
  response: readonly number[],
): string | null {
  const at = responseIds.findIndex((id, index) => id !== response[index])
  if (at >= 0) return `its token ids are not those of the answer from response token ${at + 1} on`
  const same = promptIds.length === prompt.length && promptIds.every((id, index) => id === prompt[index])
  return promptIds.length === 0 || same ? null : 'the token ids of its prompt are not those of the answer'
}
