import { type Matrix, type MatrixRow, randomBaseline, randomBaselineText } from '../common/matrix.ts'
import { type MetricName, metricNames } from '../common/metrics.ts'
import { standsOut } from './outliers.ts'
import { type RankedResponse, rankedClauses, type Ranking } from './ranking.ts'
import { cohensD } from './spread.ts'

export interface TableTitle {
  readonly trait: string
  readonly layer: number
  readonly method: string
  readonly promptSet: string
  readonly mode: string
  readonly by: MetricName
}

/** The ranking of one trait on one prompt set, for reading. */
export function rankingMarkdown(title: TableTitle, ranking: Ranking, top: number): string {
  const best = ranking.responses.slice(0, top)
  const isDiff = title.mode === 'diff'
  return [
    `# ${title.trait} · ${title.promptSet}`,
    '',
    `Layer ${title.layer}, ${title.method}, ${modeInWords(title.mode)}; ranked by ${title.by}. ${ranking.responses.length} responses.`,
    '',
    '## Organisms',
    '',
    ...table(
      ['organism', 'responses', ...metricNames, ...(isDiff ? ["Cohen's d"] : [])],
      ranking.organisms.map((row) => [
        row.organism,
        String(row.responses),
        ...metricNames.map((name) => row.means[name].toFixed(3)),
        ...(isDiff ? [figure(cohensD(row.spread))] : []),
      ]),
    ),
    '',
    `## Top ${best.length} responses`,
    '',
    ...table(
      ['rank', 'organism', 'prompt', ...metricNames, 'best clause'],
      best.map((response, index) => [
        String(index + 1),
        response.organism,
        response.promptId,
        ...metricNames.map((name) => response.metrics[name].toFixed(3)),
        bestClause(response),
      ]),
    ),
    '',
  ].join('\n')
}

function bestClause(response: RankedResponse): string {
  const [best] = rankedClauses(response)
  return best ? `${cell(best.text)} (${best.score.toFixed(2)})` : ''
}

/** The organism × trait matrix, for reading, what stands out of it first. The highest trait of each organism is in bold. */
export function matrixMarkdown(matrix: Matrix): string {
  const baseline = randomBaseline(matrix)
  return [
    '# Organisms × traits',
    '',
    `Mean ${matrix.by} over ${matrix.promptSets.join(', ')}; ${modeInWords(matrix.mode)}.`,
    '',
    ...(baseline ? [randomBaselineText(baseline), ''] : []),
    ...outliersMarkdown(matrix),
    '## Means',
    '',
    ...organismsByTraits(matrix, ({ values }) => values),
    '',
    ...(matrix.mode === 'diff' ? effectsMarkdown(matrix) : []),
    ...gapsMarkdown(matrix),
    'Rankings by trait and prompt set stand beside this file.',
    '',
  ].join('\n')
}

function outliersMarkdown(matrix: Matrix): string[] {
  const outliers = standsOut(matrix)
  if (outliers.length === 0) return []
  const isDiff = matrix.mode === 'diff'
  return [
    '## What stands out',
    '',
    'How far an organism lies from the others on a trait: its modified z-score (median and median absolute deviation); beyond 3.5 is taken for an outlier.',
    '',
    ...table(
      ['organism', 'trait', 'mean', ...(isDiff ? ["Cohen's d"] : []), 'z'],
      outliers.map(({ organism, column, value, cohensD: d, z }) => [
        organism,
        column,
        figure(value),
        ...(isDiff ? [figure(d)] : []),
        figure(z),
      ]),
    ),
    '',
  ]
}

function effectsMarkdown(matrix: Matrix): string[] {
  return [
    "## Cohen's d",
    '',
    'How clear the difference is: the mean of its response_mean in standard deviations among the responses. Without a unit, so it compares between traits and layers.',
    '',
    ...organismsByTraits(matrix, (row) => row.cohensD ?? []),
    '',
  ]
}

function gapsMarkdown({ betweenSets }: Matrix): string[] {
  if (betweenSets.length === 0) return []
  return [
    '## Where prompt sets differ',
    '',
    'The two prompt sets on which an organism is farthest from the clean model unalike: how far their means of response_mean lie apart, in their pooled standard deviation.',
    '',
    ...table(
      ['organism', 'trait', 'higher on', 'mean', 'lower on', 'mean', "Cohen's d"],
      betweenSets.map(({ organism, column, higher, lower, cohensD: d }) => [
        organism,
        column,
        higher.promptSet,
        figure(higher.mean),
        lower.promptSet,
        figure(lower.mean),
        figure(d),
      ]),
    ),
    '',
  ]
}

function organismsByTraits({ columns, rows }: Matrix, valuesOf: (row: MatrixRow) => readonly (number | null)[]): string[] {
  const lines = rows.map((row) => {
    const values = valuesOf(row)
    const highest = Math.max(...values.filter((value) => value !== null))
    return [row.organism, ...values.map((value) => (value === highest ? `**${figure(value)}**` : figure(value)))]
  })
  return table(['organism', ...columns], lines)
}

function figure(value: number | null): string {
  return value === null ? '–' : value.toFixed(2)
}

function modeInWords(mode: string): string {
  return mode === 'diff' ? 'organism minus clean model' : 'organism alone'
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)]
}

/** Text that cannot break out of a table cell. */
function cell(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('|', '\\|').replaceAll('<', '&lt;').replace(/\s+/g, ' ').slice(0, 120)
}
