import { type Matrix, randomBaseline, randomBaselineText } from '../common/matrix.ts'
import { metricNames } from '../common/metrics.ts'
import type { ToldOfOrganisms } from '../common/told.ts'
import { clientScript } from './client/index.ts'
import type { ReportData } from './data.ts'
import { chooser, heatMap } from './heat-map.ts'
import { escapeHtml } from './html.ts'
import { toldTable } from './told.ts'
import { style } from './style.ts'

/**
 * The page: matrix, style and script in one file. What else it shows lies in `data/` beside it, as scripts of ours,
 * and nothing is loaded from anywhere else.
 */
export function reportPage(data: ReportData, told: readonly ToldOfOrganisms[] = []): string {
  const { title, matrix } = data
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline' 'self' file:">
<title>${escapeHtml(title)}</title>
<style>${style}</style>
</head>
<body>
<header>
<h1>${escapeHtml(title)}</h1>
<p>${escapeHtml(introduction(matrix))}</p>
</header>
<main>
${chooser(matrix)}
<section id="matrix" aria-label="Organisms by traits">${heatMap(matrix)}</section>
${toldTable(matrix, told)}<noscript>Answers are shown by the script of this page.</noscript>
<nav id="controls" aria-label="Filters"></nav>
<div id="answers">
<section id="list" role="listbox" aria-label="Answers, in order" tabindex="0"></section>
<section id="detail" aria-label="The chosen answer" tabindex="-1"></section>
</div>
</main>
<script type="application/json" id="data">${embed({ ...data, metricNames })}</script>
<script>${clientScript}</script>
</body>
</html>
`
}

/** What the matrix shows, and what must be known to read it. */
function introduction(matrix: Matrix): string {
  const { by, mode, promptSets, plants } = matrix
  const what = mode === 'diff' ? 'organism minus clean model' : 'the organism alone'
  const baseline = randomBaseline(matrix)
  return [
    `Mean ${by} of ${what} over ${promptSets.join(', ')}. Choose a cell to read the answers behind it.`,
    ...(Object.keys(plants).length > 0 ? ['Underlined is what an organism is said to plant.'] : []),
    ...(baseline ? [randomBaselineText(baseline)] : []),
  ].join(' ')
}

/** JSON that cannot end the script element it stands in. */
function embed(data: object): string {
  return JSON.stringify(data).replaceAll('<', '\\u003c').replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')
}
