const mostNamed = 4

/** The first of some, and how many more there are: `a, b, c, d and 3 more`. */
export function firstNamed(texts: readonly string[]): string {
  const more = texts.length > mostNamed ? ` and ${texts.length - mostNamed} more` : ''
  return `${texts.slice(0, mostNamed).join(', ')}${more}`
}
