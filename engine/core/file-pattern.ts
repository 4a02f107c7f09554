/**
 * A relative path in which `{name}` stands for any text without a slash and `*` for any part of a name. The groups of
 * the expression are the placeholders.
 */
export function patternExpression(pattern: string): RegExp {
  const parts = pattern.split(/(\{[a-z]+\}|\*)/).map((part) => {
    if (part === '*') return '[^/]*'
    const placeholder = /^\{([a-z]+)\}$/.exec(part)
    return placeholder ? `(?<${placeholder[1]}>[^/]+)` : part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
  })
  return new RegExp(`^${parts.join('')}$`)
}

/** The folder that every match lies in, and the rest of the pattern as one expression a path segment. */
export function patternSegments(pattern: string): { readonly folder: string; readonly segments: readonly string[] } {
  const all = pattern.split('/')
  const first = all.findIndex((segment) => /[*{]/.test(segment))
  const fixed = first === -1 ? all.length - 1 : first
  return { folder: all.slice(0, fixed).join('/') || '.', segments: all.slice(fixed) }
}
