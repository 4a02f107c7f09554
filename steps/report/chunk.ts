import type { Turn } from '../../engine/core/sources.ts'
import { difference, type ScoredAnswer } from '../common/answers.ts'
import { type MetricName, metricNames, metricsOf } from '../common/metrics.ts'

/** Answers of one organism to one prompt set, as a page loads them. */
export interface AnswersChunk {
  readonly answers: readonly ChunkAnswer[]
}

export interface ChunkAnswer {
  readonly id: string
  readonly prompt: string
  readonly earlier?: readonly Turn[]
  readonly prefill?: string
  readonly tokens: readonly string[]
  readonly vectors: readonly ChunkScores[]
}

export interface ChunkScores {
  /** In the order of `metricNames`, rounded to four decimals. */
  readonly metrics: readonly number[]
  /** A token's score is its whole number times this. */
  readonly scale: number
  /** Whole numbers of 16 bits, the low byte first, in base64. */
  readonly scores: string
}

const largest = 32_767

/** Scores are organism minus clean where there is a clean side. */
export function answersChunk(answers: readonly ScoredAnswer[]): AnswersChunk {
  return {
    answers: answers.map(({ promptId, scores, ...said }) => ({
      id: promptId,
      ...said,
      vectors: scores.map(({ organism, clean }) => chunkScores(clean ? difference(organism, clean) : Array.from(organism))),
    })),
  }
}

function chunkScores(values: readonly number[]): ChunkScores {
  const highest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  const scale = Number((highest / largest).toPrecision(9))
  const bytes = new DataView(new ArrayBuffer(2 * values.length))
  const whole = (value: number) => Math.max(-largest, Math.min(largest, Math.round(value / scale)))
  for (const [index, value] of values.entries()) bytes.setInt16(2 * index, scale > 0 ? whole(value) : 0, true)
  const metrics = metricsOf(values)
  return {
    metrics: metricNames.map((name) => Math.round(metrics[name] * 10_000) / 10_000),
    scale,
    scores: Buffer.from(bytes.buffer).toString('base64'),
  }
}

/** The highest score of an answer without its sign, as its scores are kept. */
export function highestOf({ scale }: ChunkScores): number {
  return scale * largest
}

export function metricOf({ metrics }: ChunkScores, name: MetricName): number {
  return metrics[metricNames.indexOf(name)] as number
}

/** Name of a part, and of its file without the ending. No name of an organism or prompt set holds the sign between them. */
export function answersName(organism: string, promptSet: string): string {
  return `answers~${organism}~${promptSet}`
}

export function valuesName(column: number): string {
  return `values~${column}`
}

const open = (name: string) => `dagReport.take(${JSON.stringify(name)},`
const close = ')\n'

/** Data that a page loads as a script, since a page that was opened as a file may read no other file. */
export function dataScript(name: string, data: object): string {
  return `${open(name)}${JSON.stringify(data)}${close}`
}

export function dataOf(name: string, script: string): unknown {
  return JSON.parse(script.slice(open(name).length, -close.length))
}
