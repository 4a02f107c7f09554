import { type Diagnostic, formatDiagnostic } from '../../core/diagnostic.ts'
import { exitCodes } from './exit-codes.ts'

const mostTold = 100
/** Of one rule at one place, such as layers of a range that are not recorded. */
const mostAlike = 8

/** Prints problems to stderr, the first of those that are alike, and sets the exit code for a wrong workflow. */
export function reportProblems(process: NodeJS.Process, diagnostics: readonly Diagnostic[]): void {
  const alike = Map.groupBy(diagnostics, placeAndRule)
  const told = diagnostics.flatMap((diagnostic) => {
    const like = alike.get(placeAndRule(diagnostic)) as Diagnostic[]
    const index = like.indexOf(diagnostic)
    if (index === mostAlike) return [`… and ${like.length - index} more at this place [${diagnostic.rule}]`]
    return index < mostAlike ? [formatDiagnostic(diagnostic)] : []
  })
  for (const text of told.slice(0, mostTold)) process.stderr.write(`${text}\n\n`)
  if (told.length > mostTold) process.stderr.write(`… and ${told.length - mostTold} more\n`)
  const errors = diagnostics.filter((diagnostic) => diagnostic.severity === 'error').length
  if (errors > 0) {
    process.stderr.write(`${errors} ${errors === 1 ? 'error' : 'errors'}; nothing was started\n`)
    process.exitCode = exitCodes.usage
  }
}

/** What has no place is like nothing else. */
function placeAndRule(diagnostic: Diagnostic): unknown {
  const { range, rule } = diagnostic
  return range ? `${range.file}:${range.line}:${range.column} ${rule}` : diagnostic
}
