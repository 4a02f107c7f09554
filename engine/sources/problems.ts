import type { Diagnostic } from '../core/diagnostic.ts'
import type { Path } from '../spec/document.ts'
import type { Workflow } from '../spec/workflow.ts'

/** Collects every problem met while reading what a workflow points at. */
export interface Problems {
  readonly list: Diagnostic[]
  /** At a place in the workflow. */
  error(rule: string, path: Path, message: string, hint?: string): void
  warning(rule: string, path: Path, message: string, hint?: string): void
}

export function collectProblems(workflow: Workflow): Problems {
  const list: Diagnostic[] = []
  const add = (severity: 'error' | 'warning') => (rule: string, path: Path, message: string, hint?: string) => {
    list.push({ severity, rule, message, ...(hint ? { hint } : {}), range: workflow.rangeOf(path, 'value') })
  }
  return { list, error: add('error'), warning: add('warning') }
}
