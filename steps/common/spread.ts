import { average, sampleDeviation, squaresFrom, sum } from './metrics.ts'

/** How some values lie: how many there are, their mean, and their sample standard deviation (n − 1), 0 for one. */
export interface Spread {
  readonly count: number
  readonly mean: number
  readonly std: number
}

export function spreadOf(values: readonly number[]): Spread {
  const mean = average(values)
  return { count: values.length, mean, std: sampleDeviation(squaresFrom(values, mean), values.length) }
}

/** The spread of all values together, from those of their parts. */
export function pooled(parts: readonly Spread[]): Spread {
  const count = sum(parts.map((part) => part.count))
  const mean = sum(parts.map((part) => part.count * part.mean)) / count
  const squares = sum(parts.map((part) => (part.count - 1) * part.std ** 2 + part.count * (part.mean - mean) ** 2))
  return { count, mean, std: sampleDeviation(squares, count) }
}

/**
 * Cohen's d of paired differences (d_z, Lakens 2013): their mean in standard deviations. It has no unit, so it compares
 * between traits and layers. Null where there is one, or all are the same but for rounding.
 */
export function cohensD({ mean, std }: Spread): number | null {
  return std <= 1e-9 * Math.abs(mean) ? null : mean / std
}

/**
 * Cohen's d of two independent samples: how far their means lie apart, in their pooled standard deviation (Cohen 1988).
 * Null where each is of one value, or of equal ones.
 */
export function cohensDBetween(a: Spread, b: Spread): number | null {
  const squares = (a.count - 1) * a.std ** 2 + (b.count - 1) * b.std ** 2
  const std = Math.sqrt(squares / (a.count + b.count - 2))
  return std > 1e-9 * Math.max(Math.abs(a.mean), Math.abs(b.mean)) ? (a.mean - b.mean) / std : null
}
