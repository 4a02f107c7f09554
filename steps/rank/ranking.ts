import type { Json } from '../../engine/core/json.ts'
import { type Clause, clausesOf } from './clauses.ts'
import { average, type MetricName, type Metrics, metricNames, metricsOf } from '../common/metrics.ts'
import { round } from '../common/written.ts'
import { type Spread, spreadOf } from '../common/spread.ts'

/** One response with its scores along one vector, one score a response token. */
export interface ScoredResponse {
  readonly organism: string
  readonly promptId: string
  readonly prompt: string
  /** With what it was made to begin. */
  readonly prefill?: string
  readonly tokens: readonly string[]
  readonly scores: ArrayLike<number>
}

/** A response with what the ranking says of it. */
export interface RankedResponse extends ScoredResponse {
  readonly metrics: Metrics
}

export interface Ranking {
  /** All responses, the highest metric first; ties in the order they came. */
  readonly responses: readonly RankedResponse[]
  readonly organisms: readonly RankedOrganism[]
}

export interface RankedOrganism {
  readonly organism: string
  readonly responses: number
  readonly means: Metrics
  /** How `response_mean` lies among its responses. */
  readonly spread: Spread
}

export function rankResponses(responses: readonly ScoredResponse[], by: MetricName): Ranking {
  const ranked = responses.map((response): RankedResponse => ({ ...response, metrics: metricsOf(response.scores) }))
  const names = [...new Set(responses.map((response) => response.organism))]
  const organisms = names.map((organism): RankedOrganism => {
    const own = ranked.filter((response) => response.organism === organism)
    const means = Object.fromEntries(
      metricNames.map((name) => [name, average(own.map(({ metrics }) => metrics[name]))]),
    ) as unknown as Metrics
    return { organism, responses: own.length, means, spread: spreadOf(own.map(({ metrics }) => metrics.response_mean)) }
  })
  return {
    responses: ranked.sort((a, b) => b.metrics[by] - a.metrics[by]),
    organisms: organisms.sort((a, b) => b.means[by] - a.means[by]),
  }
}

const bestClauses = 3

/** Clauses of a response, the highest mean score first. */
export function rankedClauses({ tokens, scores }: ScoredResponse): Clause[] {
  return clausesOf(tokens, scores).sort((a, b) => b.score - a.score)
}

/** A ranked response as JSON; scores are rounded to four decimals. */
export function responseJson(response: RankedResponse, rank: number): Json {
  return {
    rank,
    organism: response.organism,
    prompt_id: response.promptId,
    prompt: response.prompt,
    ...(response.prefill === undefined ? {} : { prefill: response.prefill }),
    ...Object.fromEntries(metricNames.map((name) => [name, round(response.metrics[name])])),
    top_clauses: rankedClauses(response)
      .slice(0, bestClauses)
      .map((clause) => ({ ...clause, score: round(clause.score) })),
    tokens: [...response.tokens],
    scores: Array.from(response.scores, round),
  }
}
