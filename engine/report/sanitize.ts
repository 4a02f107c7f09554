/** Colours and weights: harmless, and of no use in a text that is only shown. */
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const colours = /\u001b\[[0-9;:]*m/g

/**
 * What could redraw a terminal, turn the direction of text around or hide in it: control characters, bidi controls,
 * line and paragraph separators, byte order marks, tag characters, halves of surrogate pairs.
 */
const dangerous = /[\p{Cc}\p{Bidi_Control}\p{Cs}\u2028\u2029\ufeff\u{e0000}-\u{e007f}]/gu

/**
 * Text of prompts, answers and logs as it may be shown: what could steer a terminal is written out, e.g. `\u{1b}`.
 * Line ends and tabs stay.
 */
export function sanitize(text: string): string {
  return text
    .replaceAll(colours, '')
    .replaceAll(/\r+(?=\n|$)/g, '')
    .replaceAll(dangerous, (character) => (character === '\n' || character === '\t' ? character : written(character)))
}

/** The same as lines without tabs, each safe on a line of its own. */
export function sanitizeLines(text: string): string[] {
  return sanitize(text).replaceAll('\t', '  ').split('\n')
}

/** The same on one line. */
export function sanitizeLine(text: string): string {
  return sanitizeLines(text).join(' ⏎ ')
}

function written(character: string): string {
  return `\\u{${(character.codePointAt(0) as number).toString(16)}}`
}
