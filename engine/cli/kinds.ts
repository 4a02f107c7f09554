import { kinds as all } from '../../steps/index.ts'
import { suggestion } from '../core/names.ts'
import { kindText, overviewText } from '../report/reference.ts'
import { workflowFields } from '../spec/schema.ts'
import type { CliContext } from './common/context.ts'
import { reportProblems } from './common/report-problems.ts'

/** What can be written in a workflow: its fields and kinds, or the parameters of one of these. */
export function kinds(this: CliContext, _flags: object, name?: string): void {
  const { stdout } = this.process
  const width = stdout.columns ?? Infinity
  if (name === undefined) {
    stdout.write(overviewText(workflowFields, all, width))
    return
  }
  const kind = all.find((one) => one.kind === name)
  if (kind) {
    stdout.write(kindText(kind, width))
    return
  }
  const message = `there is no kind of step "${name}"`
  const hint = suggestion(
    name,
    all.map((one) => one.kind),
  )
  reportProblems(this.process, [{ severity: 'error', rule: 'kind', message, ...(hint ? { hint } : {}) }])
}
