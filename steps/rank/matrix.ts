import type { Matrix } from '../common/matrix.ts'
import type { MetricName } from '../common/metrics.ts'
import type { VectorName } from '../common/vectors.ts'
import { modifiedZ } from './outliers.ts'
import { round } from './ranking.ts'
import { cohensD, pooled } from './spread.ts'

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

/** Pools rankings of several prompt sets, each response counting once. Organisms keep the order of `order`. */
export function matrixOf(rankings: readonly Across[], order: readonly string[]): Matrix {
  const [first] = rankings
  if (!first) throw new Error('there is no ranking to make a matrix of')
  const name = namesOf(rankings)
  const columns = [...new Set(rankings.map(name))]
  const rows = order.map((organism) => {
    const parts = columns.map((column) =>
      rankings
        .filter((ranking) => name(ranking) === column)
        .flatMap((ranking) => ranking.organisms.filter((row) => row.organism === organism)),
    )
    const values = parts.map((own) => meanOf(own, first.by))
    return first.mode === 'diff' ? { organism, values, cohensD: parts.map(effectOf) } : { organism, values }
  })
  const zs = columns.map((_, column) => modifiedZ(rows.map(({ values }) => values[column] as number)))
  return {
    by: first.by,
    mode: first.mode,
    promptSets: [...new Set(rankings.map((ranking) => ranking.prompt_set))],
    columns,
    random: [...new Set(rankings.filter(({ method }) => method === 'random').map(name))],
    rows: rows.map((row, index) => ({ ...row, modifiedZ: zs.map((ofColumn) => rounded(ofColumn[index] as number | null)) })),
  }
}

/** A vector's trait, with its layer where there are several, and with its method where its trait has several. */
function namesOf(vectors: readonly VectorName[]): (vector: VectorName) => string {
  const manyLayers = new Set(vectors.map(({ layer }) => layer)).size > 1
  const methods = Map.groupBy(vectors, ({ trait }) => trait)
  return ({ trait, layer, method }) => {
    const manyMethods = methods.get(trait)?.some((other) => other.method !== method)
    return `${trait}${manyLayers ? `@${layer}` : ''}${manyMethods ? `:${method}` : ''}`
  }
}

function meanOf(own: readonly AcrossRow[], by: MetricName): number {
  const responses = own.reduce((sum, row) => sum + row.responses, 0)
  return own.reduce((sum, row) => sum + row[by] * row.responses, 0) / responses
}

function effectOf(own: readonly AcrossRow[]): number | null {
  return rounded(cohensD(pooled(own.map((row) => ({ count: row.responses, mean: row.response_mean, std: row.std_of_response_mean })))))
}

function rounded(value: number | null): number | null {
  return value === null ? null : round(value)
}
