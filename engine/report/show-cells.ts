import type { Digest } from '../core/digest.ts'
import type { Json, JsonObject } from '../core/json.ts'
import type { Plan } from '../plan/plan.ts'
import type { SettledCell } from '../plan/settle.ts'
import { columns } from './columns.ts'
import { formatNumberOf } from '../core/format.ts'
import { sanitizeLine } from './sanitize.ts'

/** What `dag show WORKFLOW --cells STEP --json` prints: every cell of a step, with what is known of it. */
export interface CellsReport {
  readonly workflow: string
  readonly step: string
  readonly cells: readonly CellReport[]
}

export interface CellReport {
  readonly task: string
  readonly cell: string
  /** `lost`: made before, but its object is gone or damaged. `given up`: made again when something wants to read it. */
  readonly state: 'there' | 'missing' | 'lost' | 'given up'
  readonly digest: Digest | null
  /** What was noted when it was made, such as a count of tokens or how well a vector tells its sides apart. */
  readonly facts: JsonObject
}

/** The cells of a step (`answers`) or of a stage of it (`answers.capture`); null where the workflow has no such step. */
export function cellsReport(workflow: string, plan: Plan, step: string): CellsReport | null {
  const own = plan.tasks.filter(({ task }) => task.stage === step)
  if (own.length === 0) return null
  const cells = own.flatMap(({ task }) =>
    plan.settled(task.id).cells.map((cell): CellReport => {
      const { spec, output } = cell
      return { task: task.id, cell: spec.id, state: stateOf(cell), digest: output?.digest ?? null, facts: output?.facts ?? {} }
    }),
  )
  return { workflow, step, cells }
}

/** The steps that {@link cellsReport} knows. */
export function stagesOf({ tasks }: Plan): string[] {
  return [...new Set(tasks.map(({ task }) => task.stage))]
}

function stateOf({ output, lost, again }: SettledCell): CellReport['state'] {
  if (lost) return 'lost'
  if (output === null) return 'missing'
  return again || output.evicted ? 'given up' : 'there'
}

/** A line a cell, named as `dag why` and `dag lineage` take it. */
export function cellsText({ workflow, step, cells }: CellsReport): string {
  const names = [...new Set(cells.flatMap(({ facts }) => Object.keys(facts)))]
  const told = cells.some(({ state }) => state !== 'there') ? ['state'] : []
  const rows = cells.map(({ task, cell, state, facts }) => [
    `${task}:${cell}`,
    ...told.map(() => state),
    ...names.map((name) => factText(facts[name] ?? null)),
  ])
  const table = columns([['cell', ...told, ...names], ...rows], [0])
  return [`${workflow}: ${formatNumberOf(cells.length, 'cell')} of ${step}`, '', ...table.map((line) => `  ${line}`), ''].join('\n')
}

function factText(fact: Json): string {
  if (fact === null) return ''
  if (typeof fact === 'number') return Number.isInteger(fact) ? String(fact) : String(Number(fact.toPrecision(4)))
  return sanitizeLine(typeof fact === 'string' ? fact : JSON.stringify(fact))
}
