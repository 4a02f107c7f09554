import { type Diagnostic, formatDiagnostic } from '../../core/diagnostic.ts'
import { exitCodes } from './exit-codes.ts'

/** Prints every problem to stderr and sets the exit code for a wrong workflow. */
export function reportProblems(process: NodeJS.Process, diagnostics: readonly Diagnostic[]): void {
  const shown = diagnostics.slice(0, 100)
  for (const diagnostic of shown) process.stderr.write(`${formatDiagnostic(diagnostic)}\n\n`)
  if (diagnostics.length > shown.length) process.stderr.write(`… and ${diagnostics.length - shown.length} more\n`)
  const errors = diagnostics.filter((diagnostic) => diagnostic.severity === 'error').length
  if (errors > 0) {
    process.stderr.write(`${errors} ${errors === 1 ? 'error' : 'errors'}; nothing was started\n`)
    process.exitCode = exitCodes.usage
  }
}
