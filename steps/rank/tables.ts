import type { Matrix } from './matrix.ts'
import { type MetricName, metricNames } from '../common/metrics.ts'
import { type RankedResponse, rankedClauses, type Ranking } from './ranking.ts'

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
  return [
    `# ${title.trait} · ${title.promptSet}`,
    '',
    `Layer ${title.layer}, ${title.method}, ${modeInWords(title.mode)}; ranked by ${title.by}. ${ranking.responses.length} responses.`,
    '',
    '## Organisms',
    '',
    ...table(
      ['organism', 'responses', ...metricNames],
      ranking.organisms.map((row) => [row.organism, String(row.responses), ...metricNames.map((name) => row.means[name].toFixed(3))]),
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

/** The organism × trait matrix, for reading. The highest trait of each organism is in bold. */
export function matrixMarkdown(matrix: Matrix): string {
  return [
    '# Organisms × traits',
    '',
    `Mean ${matrix.by} over ${matrix.promptSets.join(', ')}; ${modeInWords(matrix.mode)}.`,
    '',
    ...table(
      ['organism', ...matrix.columns],
      matrix.rows.map((row) => {
        const highest = Math.max(...row.values)
        return [row.organism, ...row.values.map((value) => (value === highest ? `**${value.toFixed(2)}**` : value.toFixed(2)))]
      }),
    ),
    '',
    'Rankings by trait and prompt set stand beside this file.',
    '',
  ].join('\n')
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
