import { difference, type ScoredAnswer } from '../common/answers.ts'
import { metricNames, metricsOf } from '../common/metrics.ts'
import type { Column, ColumnType } from './parquet.ts'

/** Labels that all rows of a table have. */
export interface Labels {
  readonly organism: string
  readonly prompt_set: string
}

/**
 * One row for each answer, vector and side, with the metrics of its scores. Sides are `organism`, and where there is
 * a clean side `clean` and `diff`, which is the metrics of the difference token by token.
 */
export function responseTable(labels: Labels, answers: readonly ScoredAnswer[]): Column[] {
  const table = builder({
    organism: 'STRING',
    prompt_set: 'STRING',
    prompt_id: 'STRING',
    trait: 'STRING',
    layer: 'INT32',
    method: 'STRING',
    side: 'STRING',
    tokens: 'INT32',
    ...doubles(metricNames),
  })
  for (const { promptId, tokens, scores } of answers) {
    for (const { vector, organism, clean } of scores) {
      const sides = { organism, ...(clean && { clean, diff: difference(organism, clean) }) }
      for (const [side, values] of Object.entries(sides)) {
        table.row({ ...labels, prompt_id: promptId, ...vector, side, tokens: tokens.length, ...metricsOf(values) })
      }
    }
  }
  return table.columns
}

/** One row for each response token and vector: its score with the organism on, and with the clean model where there is one. */
export function tokenTable(labels: Labels, answers: readonly ScoredAnswer[]): Column[] {
  const hasClean = answers.some(({ scores }) => scores.some(({ clean }) => clean !== null))
  const table = builder({
    organism: 'STRING',
    prompt_set: 'STRING',
    prompt_id: 'STRING',
    trait: 'STRING',
    layer: 'INT32',
    method: 'STRING',
    position: 'INT32',
    token: 'STRING',
    score: 'FLOAT',
    ...(hasClean && { clean_score: 'FLOAT' as const }),
  })
  for (const { promptId, tokens, scores } of answers) {
    for (const { vector, organism, clean } of scores) {
      for (const [position, token] of tokens.entries()) {
        const score = organism[position] as number
        table.row({
          ...labels,
          prompt_id: promptId,
          ...vector,
          position,
          token,
          score,
          ...(clean && { clean_score: clean[position] as number }),
        })
      }
    }
  }
  return table.columns
}

function doubles(names: readonly string[]): Record<string, ColumnType> {
  return Object.fromEntries(names.map((name) => [name, 'DOUBLE']))
}

function builder(types: Readonly<Record<string, ColumnType>>) {
  const columns = Object.entries(types).map(([name, type]) => ({ name, type, data: [] as (string | number)[] }))
  return {
    columns: columns as Column[],
    row(values: Readonly<Record<string, string | number>>): void {
      for (const { name, data } of columns) data.push(values[name] as string | number)
    },
  }
}
