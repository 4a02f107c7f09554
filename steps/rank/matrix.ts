import type { Matrix, MatrixRow } from '../common/matrix.ts'
import type { MetricName } from '../common/metrics.ts'
import type { Plants } from '../common/plants.ts'
import { namesOf, randomMethod, shiftMethod } from '../common/vectors.ts'
import { round } from '../common/written.ts'
import { gapsBetween, type OnSets } from './between-sets.ts'
import { modifiedZ } from './outliers.ts'
import { plantedColumns, plantedTraits } from './planted.ts'
import { cohensD, pooled, type Spread } from '../common/spread.ts'

/** What the matrix takes of `across_organisms.json`: one trait on one prompt set. */
export interface Across {
  readonly trait: string
  readonly layer: number
  readonly method: string
  readonly prompt_set: string
  readonly mode: string
  readonly by: MetricName
  readonly organisms: readonly AcrossRow[]
}

type AcrossRow = Readonly<Record<MetricName, number>> & {
  readonly organism: string
  readonly responses: number
  readonly std_of_response_mean: number
}

/** The rankings along each vector, one for each prompt set, by the name of its column. */
type Columns = ReadonlyMap<string, readonly Across[]>

/** Pools rankings of several prompt sets, each response counting once. Organisms keep the order of `order`. */
export function matrixOf(rankings: readonly Across[], order: readonly string[], plants: Plants = {}): Matrix {
  const [first] = rankings
  if (!first) throw new Error('there is no ranking to make a matrix of')
  const columns: Columns = Map.groupBy(rankings, namesOf(rankings))
  const random = [...columns].flatMap(([name, [one]]) => (one?.method === randomMethod ? [name] : []))
  const promptSets = [...new Set(rankings.map((ranking) => ranking.prompt_set))]
  const rowsOn = (sets: readonly string[]) => withZ(order.map((organism) => matrixRow(organism, columns, sets, first)))
  const traits = new Map([...columns].filter(([name]) => !random.includes(name)))
  const rows = rowsOn(promptSets)
  const named = [...columns].flatMap(([column, [one]]) => (one && one.method !== shiftMethod ? [{ column, trait: one.trait }] : []))
  return {
    by: first.by,
    mode: first.mode,
    promptSets,
    columns: [...columns.keys()],
    random,
    rows,
    bySet: promptSets.length > 1 ? promptSets.map((promptSet) => ({ promptSet, rows: rowsOn([promptSet]) })) : [],
    planted: plantedTraits(named, rows, plants),
    plants: plantedColumns(named, plants),
    betweenSets: first.mode === 'diff' ? gapsBetween(order.flatMap((organism) => onSets(organism, traits))) : [],
  }
}

function matrixRow(organism: string, columns: Columns, sets: readonly string[], { by, mode }: Across): Omit<MatrixRow, 'modifiedZ'> {
  const parts = [...columns.values()].map((own) =>
    own.flatMap((ranking) => (sets.includes(ranking.prompt_set) ? rowsOf(ranking, organism) : [])),
  )
  const values = parts.map((own) => meanOf(own, by))
  return mode === 'diff' ? { organism, values, cohensD: parts.map(effectOf) } : { organism, values }
}

/** Rows with how far each value lies from the others of its column. */
function withZ(rows: readonly Omit<MatrixRow, 'modifiedZ'>[]): MatrixRow[] {
  const zs = rows[0]?.values.map((_, column) => modifiedZ(rows.map(({ values }) => values[column] as number))) ?? []
  return rows.map((row, index) => ({ ...row, modifiedZ: zs.map((ofColumn) => rounded(ofColumn[index] as number | null)) }))
}

function onSets(organism: string, columns: Columns): OnSets[] {
  return [...columns].map(([column, own]): OnSets => {
    const sets = own.flatMap((ranking) =>
      rowsOf(ranking, organism).map((row) => ({ promptSet: ranking.prompt_set, spread: spreadIn(row) })),
    )
    return { organism, column, sets }
  })
}

function rowsOf({ organisms }: Across, organism: string): readonly AcrossRow[] {
  return organisms.filter((row) => row.organism === organism)
}

function meanOf(own: readonly AcrossRow[], by: MetricName): number {
  const responses = own.reduce((sum, row) => sum + row.responses, 0)
  return own.reduce((sum, row) => sum + row[by] * row.responses, 0) / responses
}

function effectOf(own: readonly AcrossRow[]): number | null {
  return rounded(cohensD(pooled(own.map(spreadIn))))
}

function spreadIn(row: AcrossRow): Spread {
  return { count: row.responses, mean: row.response_mean, std: row.std_of_response_mean }
}

function rounded(value: number | null): number | null {
  return value === null ? null : round(value)
}
