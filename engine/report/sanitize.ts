/** Control characters, and those that turn the direction of text around: they could redraw a terminal. */
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const dangerous = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

/** Text of prompts, answers and logs as it may be shown: what could steer a terminal is written out as `\u{1b}`. */
export function sanitize(text: string): string {
  return text.replaceAll(dangerous, (character) => `\\u{${(character.codePointAt(0) as number).toString(16)}}`)
}
