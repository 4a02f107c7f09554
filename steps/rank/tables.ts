import { type MetricName, metricNames } from '../common/metrics.ts'
import { cell, figure, modeInWords, table } from '../common/markdown.ts'
import { type RankedResponse, rankedClauses, type Ranking } from './ranking.ts'
import { cohensD } from '../common/spread.ts'

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
        ...metricNames.map((name) => figure(row.means[name], 3)),
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
        ...metricNames.map((name) => figure(response.metrics[name], 3)),
        bestClause(response),
      ]),
    ),
    '',
  ].join('\n')
}

function bestClause(response: RankedResponse): string {
  const [best] = rankedClauses(response)
  return best ? `${cell(best.text)} (${figure(best.score)})` : ''
}
