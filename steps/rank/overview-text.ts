import { type Matrix, type MatrixRow, randomBaseline, randomBaselineText } from '../common/matrix.ts'
import { figure, modeInWords, table } from '../common/markdown.ts'
import { standsOut } from './outliers.ts'

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
    ...plantedMarkdown(matrix),
    '## Means',
    '',
    ...organismsByTraits(matrix, ({ values }) => values),
    '',
    ...(matrix.mode === 'diff' ? effectsMarkdown(matrix) : []),
    ...gapsMarkdown(matrix),
    'Rankings by trait and prompt set, and in `organisms` a page of each organism, stand beside this file.',
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

function plantedMarkdown({ planted }: Matrix): string[] {
  if (planted.length === 0) return []
  return [
    '## What was planted',
    '',
    'How well a trait tells the organisms that plant it from all others: the share of pairs of one of each of which the planting one has the higher mean (AUC); and for how many it is the highest of their own traits.',
    '',
    ...table(
      ['trait', 'planted in', 'AUC', 'highest of theirs'],
      planted.map(({ column, organisms, auc, highest }) => [column, String(organisms), figure(auc), `${highest} of ${organisms}`]),
    ),
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
