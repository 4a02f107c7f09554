import type { MetricName } from './metrics.ts'
import type { Plants } from './plants.ts'

/** Organisms × traits: one number each, the mean over every response of every prompt set. */
export interface Matrix {
  readonly by: MetricName
  readonly mode: string
  readonly promptSets: readonly string[]
  readonly columns: readonly string[]
  /** Those of the columns that are random directions. */
  readonly random: readonly string[]
  readonly rows: readonly MatrixRow[]
  /** The same of each prompt set alone, where there are several. */
  readonly bySet: readonly { readonly promptSet: string; readonly rows: readonly MatrixRow[] }[]
  /** How well the traits are found that organisms are said to plant. */
  readonly planted: readonly PlantedTrait[]
  /** The columns of what organisms plant. */
  readonly plants: Plants
  /** Of differences, where prompt sets differ most, the farthest apart first. */
  readonly betweenSets: readonly SetGap[]
}

/** A trait that some organisms plant: how well its values tell them from the others, and for how many it is the highest of theirs. */
export interface PlantedTrait {
  readonly column: string
  readonly organisms: number
  /** Area under the ROC curve of the planting organisms against all others. */
  readonly auc: number
  readonly highest: number
}

/** Two prompt sets on which an organism differs from the clean model unalike: means of `response_mean`, and how clear that is. */
export interface SetGap {
  readonly organism: string
  readonly column: string
  readonly higher: { readonly promptSet: string; readonly mean: number }
  readonly lower: { readonly promptSet: string; readonly mean: number }
  readonly cohensD: number
}

export interface MatrixRow {
  readonly organism: string
  readonly values: readonly number[]
  /** Of differences: Cohen's d of `response_mean` over the responses, null where it has none. */
  readonly cohensD?: readonly (number | null)[]
  /** How far each value lies from those of the other organisms; null where nothing says what is usual. */
  readonly modifiedZ: readonly (number | null)[]
}

/** What compares between the traits of an organism, as far as it is there: z, else Cohen's d, else the mean. */
export function comparable({ modifiedZ, cohensD, values }: MatrixRow): readonly (number | null)[] {
  return [modifiedZ, cohensD, values].find((numbers) => numbers?.some((number) => number !== null)) ?? values
}

/** What along random directions comes out at most, whatever its sign: so much says nothing about a trait. */
export interface RandomBaseline {
  readonly directions: number
  readonly value: number
  readonly cohensD: number | null
  readonly z: number | null
}

/** Null where there are no random directions. */
export function randomBaseline({ columns, random, rows }: Matrix): RandomBaseline | null {
  if (random.length === 0) return null
  const highest = (of: (row: MatrixRow) => readonly (number | null)[] | undefined): number | null => {
    const values = rows.flatMap((row) => random.flatMap((name) => of(row)?.[columns.indexOf(name)] ?? []))
    return values.length > 0 ? Math.max(...values.map(Math.abs)) : null
  }
  return {
    directions: random.length,
    value: highest(({ values }) => values) ?? 0,
    cohensD: highest(({ cohensD }) => cohensD),
    z: highest(({ modifiedZ }) => modifiedZ),
  }
}

/** It in words, figures with two decimals. */
export function randomBaselineText(baseline: RandomBaseline): string {
  const { directions, value, cohensD, z } = baseline
  const figures = [
    `a mean of ${value.toFixed(2)}`,
    ...(cohensD === null ? [] : [`a Cohen's d of ${cohensD.toFixed(2)}`]),
    ...(z === null ? [] : [`a z of ${z.toFixed(2)}`]),
  ]
  const along = directions === 1 ? 'one random direction' : `${directions} random directions`
  const all = figures.length === 1 ? figures[0] : `${figures.slice(0, -1).join(', ')} and ${figures.at(-1)}`
  return `Along ${along} the organisms come to ${all} at most, of either sign: so much says nothing about a trait.`
}
