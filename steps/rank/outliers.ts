import type { Matrix } from '../common/matrix.ts'

/** Of fewer organisms no median says what is usual. */
const fewestOrganisms = 5
const mostListed = 10

/**
 * Modified z-scores: how far each value lies from the median, in median absolute deviations, scaled so that it is the
 * usual z-score where values are normally distributed (Iglewicz and Hoaglin 1993). Unlike the mean and the standard
 * deviation, neither is moved by the few that stand out. Null for all where there are fewer than five, and where at least
 * half are the same.
 */
export function modifiedZ(values: readonly number[]): readonly (number | null)[] {
  const middle = median(values)
  const deviation = median(values.map((value) => Math.abs(value - middle)))
  if (values.length < fewestOrganisms || deviation <= 1e-9 * Math.abs(middle)) return values.map(() => null)
  return values.map((value) => (0.6745 * (value - middle)) / deviation)
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const half = sorted.length >> 1
  return sorted.length % 2 === 1 ? (sorted[half] as number) : ((sorted[half - 1] as number) + (sorted[half] as number)) / 2
}

/** An organism on a trait, and how far it lies from the others there. */
export interface Outlier {
  readonly organism: string
  readonly column: string
  readonly value: number
  readonly cohensD: number | null
  readonly z: number
}

/** On which traits organisms lie farthest from what is usual among them, the farthest first; empty where nothing says what is usual. */
export function standsOut({ columns, random, rows }: Matrix): readonly Outlier[] {
  const all = rows.flatMap(({ organism, values, cohensD, modifiedZ: zs }) =>
    columns.flatMap((column, index): Outlier[] => {
      const z = zs?.[index] ?? null
      return z === null || random.includes(column)
        ? []
        : [{ organism, column, value: values[index] as number, cohensD: cohensD?.[index] ?? null, z }]
    }),
  )
  return all.sort((a, b) => Math.abs(b.z) - Math.abs(a.z)).slice(0, mostListed)
}
