import type { Problem } from '../../engine/core/step-kind.ts'

/** What a path with placeholders must and may name, and how its files end. */
export interface PatternRule {
  readonly needs: readonly string[]
  readonly may?: readonly string[]
  readonly endings: readonly string[]
  readonly example: string
}

/** What is wrong with the pattern that the parameter `name` gives. */
export function patternProblems(name: string, pattern: string, { needs, may = [], endings, example }: PatternRule): Problem[] {
  const named = [...pattern.matchAll(/\{([^{}]*)\}/g)].map((match) => match[1] as string)
  const wrong = named.filter((part, index) => ![...needs, ...may].includes(part) || named.indexOf(part) !== index)
  const missing = needs.filter((part) => !named.includes(part))
  const say = (message: string): Problem => ({ rule: 'pattern', message, hint: `write it like ${example}`, path: [name] })
  if (wrong.length > 0) return [say(`"${name}" cannot have {${wrong[0]}} there`)]
  if (missing.length > 0) return [say(`"${name}" lacks {${missing[0]}}`)]
  return endings.some((ending) => pattern.endsWith(ending)) ? [] : [say(`"${name}" must end in ${endings.join(' or ')}`)]
}

/** A file's path within its experiment, where the layout is that of trait-interp; else as it is written. */
export function inExperiment(name: string): string {
  return /(?:^|\/)((?:inference|extraction)\/.*)$/.exec(name)?.[1] ?? name
}
