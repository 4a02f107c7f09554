import type { MetricName } from '../common/metrics.ts'

/** Organisms × traits: one number each, the mean over every response of every prompt set. */
export interface Matrix {
  readonly by: MetricName
  readonly mode: string
  readonly promptSets: readonly string[]
  readonly columns: readonly string[]
  readonly rows: readonly { readonly organism: string; readonly values: readonly number[] }[]
}

/** One trait on one prompt set, as `across_organisms.json` holds it. */
export interface Across {
  readonly trait: string
  readonly layer: number
  readonly method: string
  readonly prompt_set: string
  readonly mode: string
  readonly by: MetricName
  readonly organisms: readonly (Readonly<Record<MetricName, number>> & { readonly organism: string; readonly responses: number })[]
}

/** Pools rankings of several prompt sets, each response counting once. Organisms keep the order of `order`. */
export function matrixOf(rankings: readonly Across[], order: readonly string[]): Matrix {
  const [first] = rankings
  if (!first) throw new Error('there is no ranking to make a matrix of')
  const manyVectors = new Set(rankings.map((ranking) => `${ranking.layer}:${ranking.method}`)).size > 1
  const name = (ranking: Across) => (manyVectors ? `${ranking.trait}@${ranking.layer}:${ranking.method}` : ranking.trait)
  const columns = [...new Set(rankings.map(name))]
  const rows = order.map((organism) => ({
    organism,
    values: columns.map((column) => {
      const own = rankings
        .filter((ranking) => name(ranking) === column)
        .flatMap((ranking) => ranking.organisms.filter((row) => row.organism === organism))
      const responses = own.reduce((sum, row) => sum + row.responses, 0)
      return own.reduce((sum, row) => sum + row[first.by] * row.responses, 0) / responses
    }),
  }))
  return { by: first.by, mode: first.mode, promptSets: [...new Set(rankings.map((ranking) => ranking.prompt_set))], columns, rows }
}
