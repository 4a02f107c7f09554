import { type Matrix, type MatrixRow, randomBaseline, randomBaselineText } from '../common/matrix.ts'
import { metricNames } from '../common/metrics.ts'
import { clientScript } from './client/index.ts'
import type { ReportData } from './data.ts'
import { style } from './style.ts'

/**
 * The page: matrix, style and script in one file. What else it shows lies in `data/` beside it, as scripts of ours,
 * and nothing is loaded from anywhere else.
 */
export function reportPage(data: ReportData): string {
  const { title, matrix } = data
  const baseline = randomBaseline(matrix)
  const what = matrix.mode === 'diff' ? 'organism minus clean model' : 'the organism alone'
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
<p>Mean ${escapeHtml(matrix.by)} of ${what} over ${escapeHtml(matrix.promptSets.join(', '))}. Choose a cell to read the answers behind it.${baseline ? ` ${escapeHtml(randomBaselineText(baseline))}` : ''}</p>
</header>
<main>
${chooser(matrix)}
<section id="matrix" aria-label="Organisms by traits">${heatMap(matrix)}</section>
<noscript>Answers are shown by the script of this page.</noscript>
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

/** A number of a cell that the matrix can show. */
interface ShownNumber {
  /** The class that the style knows it by, and what the address says of it. */
  readonly name: string
  readonly label: string
  readonly title: string
  of(row: MatrixRow): readonly (number | null)[]
}

const shownNumbers: readonly ShownNumber[] = [
  { name: 'means', label: 'mean', title: 'The mean over the answers.', of: ({ values }) => values },
  {
    name: 'effects',
    label: 'Cohen’s d',
    title:
      'The mean of response_mean in standard deviations among the answers: how clear the difference is. It has no unit, so it compares between traits and layers.',
    of: ({ cohensD }) => cohensD ?? [],
  },
  {
    name: 'among',
    label: 'z among organisms',
    title: 'How far the mean lies from those of the other organisms: its modified z-score, by median and median absolute deviation.',
    of: ({ modifiedZ }) => modifiedZ,
  },
]

/** The numbers that a matrix has. */
function numbersOf({ rows }: Matrix): readonly ShownNumber[] {
  return shownNumbers.filter(({ of }) => rows.some((row) => numbersIn(of(row)).length > 0))
}

/** Which number of a cell is shown; the style does it, so that it works without the script. */
function chooser(matrix: Matrix): string {
  const numbers = numbersOf(matrix)
  if (numbers.length < 2) return ''
  const choices = numbers.map(
    ({ name, label, title }) =>
      `<label title="${title}"><input type="radio" name="number" id="${name}"${name === 'means' ? ' checked' : ''}> ${label}</label>\n`,
  )
  return `<fieldset id="chooser"><legend>In the matrix</legend>\n${choices.join('')}</fieldset>`
}

/** The matrix as a table, readable without the script. The highest trait of each organism is marked. */
function heatMap(matrix: Matrix): string {
  const { columns, random, rows } = matrix
  const head = columns
    .map((column) => `<th scope="col"${random.includes(column) ? ' class="soft"' : ''}>${breakable(column)}</th>`)
    .join('')
  const numbers = numbersOf(matrix).map(({ name, of }) => {
    const limit = Math.max(...rows.flatMap((row) => numbersIn(of(row)).map(Math.abs)), 1e-9)
    return rows.map((row) => of(row).map((value) => heatNumber(name, value, limit, Math.max(...numbersIn(of(row))))))
  })
  const body = rows.map(({ organism }, row) => {
    const cells = columns.map((_, column) => {
      const first = row === 0 && column === 0 ? 0 : -1
      const shown = numbers.map((number) => number[row]?.[column] ?? '').join('')
      return `<td><button data-at="${row} ${column}" tabindex="${first}">${shown}</button></td>`
    })
    return `<tr><th scope="row">${breakable(organism)}</th>${cells.join('')}</tr>\n`
  })
  return `<table class="heat"><thead><tr><td></td>${head}</tr></thead><tbody>${body.join('')}</tbody></table>`
}

function heatNumber(name: string, value: number | null, limit: number, highest: number): string {
  if (value === null) return `<span class="${name}">–</span>`
  const classes = [name, value < 0 ? 'minus' : 'plus', ...(value === highest ? ['highest'] : [])].join(' ')
  return `<span class="${classes}" style="--share:${(Math.abs(value) / limit).toFixed(2)}">${value.toFixed(2)}</span>`
}

function numbersIn(values: readonly (number | null)[]): number[] {
  return values.filter((value) => value !== null)
}

/** A name that may be broken after its underscores. */
function breakable(name: string): string {
  return escapeHtml(name).replaceAll(/([_@:])/g, '$1<wbr>')
}

export function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;').replaceAll("'", '&#39;')
}

/** JSON that cannot end the script element it stands in. */
function embed(data: object): string {
  return JSON.stringify(data).replaceAll('<', '\\u003c').replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')
}
