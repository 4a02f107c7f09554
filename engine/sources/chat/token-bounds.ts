/**
 * More tokens than this no text has: of tokenizers that know every byte, or every character, a token holds one at least.
 * Some normalise a text first; composed forms are not longer than the decomposed ones. One more, for a blank put in front.
 */
export function mostTokens(text: string): number {
  const bytes = Buffer.byteLength(text)
  if (bytes === text.length) return 1 + bytes
  return 1 + Math.max(bytes, Buffer.byteLength(text.normalize('NFD')), Buffer.byteLength(text.normalize('NFKD')))
}

/**
 * Fewer tokens than this no text is taken for: of what people write, not even a long word of the vocabulary has more
 * than so many characters a token on average. A run of one character counts once, since there are tokens for many blanks or
 * dashes.
 */
export function fewestTokens(text: string): number {
  let changes = 0
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) !== text.charCodeAt(at - 1)) changes++
  return Math.ceil(changes / 8)
}

/**
 * More tokens than this no chat template adds: its own text stands at most once for each of so many messages, the system
 * prompt and the question among them; a date or the name of a special token it may look up.
 */
export function mostTemplateTokens(template: string, messages: number): number {
  return messages * Buffer.byteLength(template) + 64
}
