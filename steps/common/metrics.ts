/** What is computed of one response's scores. */
export const metricNames = ['max_token', 'top3_mean', 'top5_mean', 'response_mean', 'response_std'] as const
export type MetricName = (typeof metricNames)[number]
export type Metrics = Readonly<Record<MetricName, number>>

/**
 * Metrics of the scores of one response, one score a token. With fewer tokens than a metric asks for, it takes those
 * there are. `response_std` is the sample standard deviation (n − 1, as trait-interp has it), 0 for one token. An empty
 * response scores 0 everywhere.
 */
export function metricsOf(scores: ArrayLike<number>): Metrics {
  if (scores.length === 0) return { max_token: 0, top3_mean: 0, top5_mean: 0, response_mean: 0, response_std: 0 }
  const sorted = new Float64Array(scores).sort().reverse()
  const mean = average(sorted)
  return {
    max_token: sorted[0] as number,
    top3_mean: average(sorted.subarray(0, 3)),
    top5_mean: average(sorted.subarray(0, 5)),
    response_mean: mean,
    response_std: sampleDeviation(squaresFrom(sorted, mean), sorted.length),
  }
}

export function average(values: ArrayLike<number>): number {
  return sum(values) / values.length
}

/** Sum of the squared distances of values from a number. */
export function squaresFrom(values: ArrayLike<number>, from: number): number {
  return sum(values, (value) => (value - from) ** 2)
}

/** Sample standard deviation (n − 1) of so many values with these squares about their mean; 0 for one. */
export function sampleDeviation(squares: number, count: number): number {
  return count > 1 ? Math.sqrt(squares / (count - 1)) : 0
}

export function sum(values: ArrayLike<number>, of = (value: number): number => value): number {
  let total = 0
  for (let index = 0; index < values.length; index++) total += of(values[index] as number)
  return total
}
