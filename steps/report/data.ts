import type { Matrix } from '../common/matrix.ts'
import { type AnswersChunk, highestOf, metricOf } from './chunk.ts'

/** What the page itself holds; answers and values are loaded when they are asked for. */
export interface ReportData {
  readonly title: string
  readonly matrix: Matrix
  readonly sets: readonly PageSet[]
  /** The score at which a token has its full colour, for each column. */
  readonly limits: readonly number[]
}

export interface PageSet {
  readonly name: string
  /** Id and the beginning of the text. */
  readonly prompts: readonly (readonly [string, string])[]
}

/**
 * What every answer scores along one column: of each organism, in the order of the matrix, every prompt of every set.
 * Null where there is no such answer.
 */
export interface ColumnValues {
  readonly value: readonly (number | null)[]
  /** The highest token. */
  readonly max: readonly (number | null)[]
}

export interface ReportParts {
  readonly data: ReportData
  readonly columns: readonly ColumnValues[]
}

/** Gives the answers of an organism to a set; null where there are none. */
export type ReadChunk = (organism: string, promptSet: string) => Promise<AnswersChunk | null>

const shownOfPrompt = 160
/** Of answers, those whose highest token is in full colour. */
const shareInFullColour = 0.05

export async function reportParts(title: string, matrix: Matrix, read: ReadChunk): Promise<ReportParts> {
  const sets: PageSet[] = matrix.promptSets.map((name) => ({ name, prompts: [] }))
  const columns = matrix.columns.map(() => ({ value: [] as (number | null)[], max: [] as (number | null)[] }))
  const highest: number[][] = matrix.columns.map(() => [])
  const rows = new Map<string, ReadonlyMap<string, AnswersChunk['answers'][number]>>()
  for (const { organism } of matrix.rows) {
    for (const [index, { name, prompts }] of sets.entries()) {
      const answers = (await read(organism, name))?.answers ?? []
      const known = new Set(prompts.map(([id]) => id))
      const more = answers.filter(({ id }) => !known.has(id)).map(({ id, prompt }) => [id, prompt.slice(0, shownOfPrompt)] as const)
      sets[index] = { name, prompts: [...prompts, ...more] }
      const summaries = answers.map(
        (answer) => [answer.id, { ...answer, tokens: [], vectors: answer.vectors.map((each) => ({ ...each, scores: '' })) }] as const,
      )
      rows.set(`${organism} ${name}`, new Map(summaries))
    }
  }
  for (const { organism } of matrix.rows) {
    for (const { name, prompts } of sets) {
      for (const [id] of prompts) {
        const answer = rows.get(`${organism} ${name}`)?.get(id)
        for (const [index, { value, max }] of columns.entries()) {
          const scores = answer?.vectors[index]
          value.push(scores ? rounded(metricOf(scores, matrix.by)) : null)
          max.push(scores ? rounded(metricOf(scores, 'max_token')) : null)
          if (scores) highest[index]?.push(highestOf(scores))
        }
      }
    }
  }
  return { data: { title, matrix, sets, limits: highest.map(limitOf) }, columns }
}

function limitOf(highest: number[]): number {
  const sorted = highest.toSorted((a, b) => b - a)
  return rounded(sorted[Math.floor(sorted.length * shareInFullColour)] ?? 0) || 1
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100
}
