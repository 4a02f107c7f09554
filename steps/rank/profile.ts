import { comparable, type Matrix, type MatrixRow } from '../common/matrix.ts'
import { plantedBy } from '../common/plants.ts'
import { cell, figure, modeInWords, table } from '../common/markdown.ts'

/** The clause of an organism's responses that scores highest along a vector, and where it stands. */
export interface BestClause {
  readonly text: string
  readonly score: number
  readonly promptSet: string
  readonly promptId: string
}

/** What the ranking of one vector on one prompt set says of an organism: `by_organism/{organism}.json`. */
export interface OwnRanking {
  readonly prompt_set: string
  readonly top: readonly {
    readonly prompt_id: string
    readonly top_clauses: readonly { readonly text: string; readonly score: number }[]
  }[]
}

/** The highest clause of the responses that are listed there; null where there is none. */
export function bestClause({ prompt_set: promptSet, top }: OwnRanking): BestClause | null {
  const clauses = top.flatMap(({ prompt_id: promptId, top_clauses: own }) =>
    own.map(({ text, score }): BestClause => ({ text, score, promptSet, promptId })),
  )
  return clauses.length > 0 ? clauses.reduce(higher) : null
}

/** The one that scores higher; the first of equal ones. */
export function higher(a: BestClause | undefined, b: BestClause): BestClause {
  return a && a.score >= b.score ? a : b
}

/** All of one organism, for reading: its traits, what stands out first, each with the clause that says it most. */
export function profileMarkdown(matrix: Matrix, row: MatrixRow, clauses: ReadonlyMap<string, BestClause>): string {
  const { columns, mode, by, promptSets } = matrix
  const isDiff = mode === 'diff'
  const planted = plantedBy(matrix.plants, row.organism)
  const weights = comparable(row).map((number) => Math.abs(number ?? 0))
  const order = columns
    .map((column, index) => ({ column, index }))
    .sort((a, b) => (weights[b.index] as number) - (weights[a.index] as number))
  return [
    `# ${row.organism}`,
    '',
    `Mean ${by} over ${promptSets.join(', ')}; ${modeInWords(mode)}. What lies farthest from the other organisms first, with the highest clause along it.${planted.length > 0 ? ` It is said to plant ${planted.join(', ')}.` : ''}`,
    '',
    ...table(
      ['trait', 'mean', ...(isDiff ? ["Cohen's d"] : []), 'z', 'clause', 'its mean', 'of'],
      order.map(({ column, index }) => {
        const clause = clauses.get(column)
        return [
          column,
          figure(row.values[index] as number),
          ...(isDiff ? [figure(row.cohensD?.[index] ?? null)] : []),
          figure(row.modifiedZ[index] ?? null),
          clause ? cell(clause.text) : '',
          clause ? figure(clause.score) : '',
          clause ? `${clause.promptSet} / ${clause.promptId}` : '',
        ]
      }),
    ),
    '',
  ].join('\n')
}
