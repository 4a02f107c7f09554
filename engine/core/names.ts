/** What a workflow, step, organism, prompt set, prompt or trait may be called: safe as a path part everywhere. */
const oneName = '[a-z0-9][a-z0-9._-]{0,99}'
export const namePattern = `^${oneName}$`
/** A name, if you like behind that of the folder that it lies in. */
export const nameInFolderPattern = `^(${oneName}/)?${oneName}$`
const nameRegExp = new RegExp(namePattern)
/** The same in words. */
export const nameRule = 'names are lower-case letters, digits, ".", "_" and "-", start with a letter or digit, and hold no ".."'

export function isName(text: string): boolean {
  return nameRegExp.test(text) && !text.includes('..')
}

/** The candidate nearest to `word` by edit distance, when it is near enough to be a likely slip. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined
  let bestDistance = Math.max(2, Math.floor(word.length / 3)) + 1
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase())
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

/** "did you mean" as a sentence, or the list of what exists when nothing is near. */
export function suggestion(word: string, candidates: readonly string[]): string | undefined {
  const near = nearest(word, candidates)
  if (near !== undefined) return `did you mean "${near}"?`
  if (candidates.length === 0) return undefined
  const shown = candidates.slice(0, 12).join(', ')
  return `known: ${shown}${candidates.length > 12 ? `, … (${candidates.length})` : ''}`
}

/** Levenshtein distance with two rows. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const current = [i]
    for (let j = 1; j <= b.length; j++) {
      const substitution = (previous[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1)
      current.push(Math.min(substitution, (previous[j] as number) + 1, (current[j - 1] as number) + 1))
    }
    previous = current
  }
  return previous[b.length] as number
}
