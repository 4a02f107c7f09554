/** Text measured in columns of a terminal. */

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' })
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}|\ufe0f/u
const without = /^[\p{M}\p{Cf}]+$/u

export function widthOf(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length
  let width = 0
  for (const { segment } of graphemes.segment(text)) width += widthOfGrapheme(segment)
  return width
}

function widthOfGrapheme(grapheme: string): number {
  if (wide.test(grapheme)) return 2
  return without.test(grapheme) ? 0 : 1
}

/** Exactly `width` columns: cut at the end, or filled up. */
export function fit(text: string, width: number): string {
  const cut = widthOf(text) <= width ? text : `${wrap(text, Math.max(1, width - 1))[0]}…`
  return cut + ' '.repeat(Math.max(0, width - widthOf(cut)))
}

/** At most `width` columns: cut in the middle, since names of organisms are told apart by both ends. */
export function cutMiddle(text: string, width: number): string {
  if (text.length <= width) return text
  const head = Math.ceil((width - 1) / 2)
  return `${text.slice(0, head)}…${text.slice(text.length - (width - 1 - head))}`
}

/** Both ends of a line of `width` columns. Of the texts for the right end the first that leaves room for the left one. */
export function ends(left: string, rights: readonly string[], width: number): string {
  const right = rights.find((text) => widthOf(left) + 1 + widthOf(text) <= width) ?? ''
  return fit(left, width - widthOf(right)) + right
}

/** Lines of at most `width` columns, broken anywhere: a log is shown as it is. */
export function wrap(text: string, width: number): string[] {
  if (widthOf(text) <= width) return [text]
  const lines: string[] = []
  let line = ''
  let used = 0
  for (const { segment } of graphemes.segment(text)) {
    const next = widthOfGrapheme(segment)
    if (used + next > width) {
      lines.push(line)
      line = ''
      used = 0
    }
    line += segment
    used += next
  }
  return [...lines, line]
}

/** The first of the texts that fits, else the last one cut. */
export function firstThatFits(texts: readonly string[], width: number): string {
  return texts.find((text) => widthOf(text) <= width) ?? cutMiddle(texts.at(-1) ?? '', width)
}

/** `▓▓▓░░░` */
export function bar(share: number, width: number): string {
  const full = Math.floor(Math.max(0, Math.min(1, share)) * width)
  return '▓'.repeat(full) + '░'.repeat(width - full)
}
