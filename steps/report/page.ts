import { clientScript } from './client.ts'
import type { ReportData } from './data.ts'
import { style } from './style.ts'

/** The page: data, style and script in one file; it loads nothing. */
export function reportPage(data: ReportData): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>${escapeHtml(data.title)}</title>
<style>${style}</style>
</head>
<body>
<header>
<h1>${escapeHtml(data.title)}</h1>
<p>Mean ${escapeHtml(data.matrix.by)} of ${escapeHtml(data.matrix.mode === 'diff' ? 'organism minus clean model' : 'the organism alone')} over ${escapeHtml(data.matrix.promptSets.join(', '))}. Choose a cell to read the answers behind it.</p>
</header>
<main>
<section aria-label="Organisms by traits">${heatMap(data)}</section>
<nav id="controls" aria-label="Filters"></nav>
<section id="answers" aria-label="Ranked answers"></section>
</main>
<script type="application/json" id="data">${embed(data)}</script>
<script>${clientScript}</script>
</body>
</html>
`
}

/** The matrix as a table, readable without the script. The highest trait of each organism is marked. */
function heatMap({ matrix }: ReportData): string {
  const limit = Math.max(...matrix.rows.flatMap((row) => row.values.map(Math.abs)), 1e-9)
  const head = matrix.columns.map((column) => `<th scope="col">${escapeHtml(column)}</th>`).join('')
  const rows = matrix.rows.map((row) => {
    const highest = Math.max(...row.values)
    const cells = row.values.map((value, index) => {
      const mark = value === highest ? ' class="highest"' : ''
      const share = (Math.abs(value) / limit).toFixed(3)
      const side = value < 0 ? 'minus' : 'plus'
      const attributes = `data-organism="${escapeHtml(row.organism)}" data-column="${escapeHtml(matrix.columns[index] as string)}"`
      return `<td${mark}><button type="button" class="${side}" style="--share:${share}" ${attributes}>${value.toFixed(2)}</button></td>`
    })
    return `<tr><th scope="row">${escapeHtml(row.organism)}</th>${cells.join('')}</tr>`
  })
  return `<table class="heat"><thead><tr><td></td>${head}</tr></thead><tbody>${rows.join('')}</tbody></table>`
}

export function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;').replaceAll("'", '&#39;')
}

/** JSON that cannot end the script element it stands in. */
function embed(data: ReportData): string {
  return JSON.stringify(data).replaceAll('<', '\\u003c').replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')
}
