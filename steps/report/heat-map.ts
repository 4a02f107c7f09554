import { figure } from '../common/markdown.ts'
import type { Matrix, MatrixRow } from '../common/matrix.ts'
import { plantedBy } from '../common/plants.ts'
import { breakable } from './html.ts'

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
export function chooser(matrix: Matrix): string {
  const numbers = numbersOf(matrix)
  if (numbers.length < 2) return ''
  const choices = numbers.map(
    ({ name, label, title }) =>
      `<label title="${title}"><input type="radio" name="number" id="${name}"${name === 'means' ? ' checked' : ''}> ${label}</label>\n`,
  )
  return `<fieldset id="chooser"><legend>In the matrix</legend>\n${choices.join('')}</fieldset>`
}

/** The matrix as a table, readable without the script. The highest trait of each organism is marked, and what it is said to plant. */
export function heatMap(matrix: Matrix): string {
  const { columns, random, rows, plants } = matrix
  const head = columns
    .map((column) => `<th scope="col"${random.includes(column) ? ' class="soft"' : ''}>${breakable(column)}</th>`)
    .join('')
  const numbers = numbersOf(matrix).map(({ name, of }) => {
    const limit = Math.max(...rows.flatMap((row) => numbersIn(of(row)).map(Math.abs)), 1e-9)
    return rows.map((row) => of(row).map((value) => heatNumber(name, value, limit, Math.max(...numbersIn(of(row))))))
  })
  const body = rows.map(({ organism }, row) => {
    const cells = columns.map((name, column) => {
      const planted = plantedBy(plants, organism).includes(name) ? ' class="planted" title="planted"' : ''
      const first = row === 0 && column === 0 ? 0 : -1
      const shown = numbers.map((number) => number[row]?.[column] ?? '').join('')
      return `<td><button data-at="${row} ${column}" tabindex="${first}"${planted}>${shown}</button></td>`
    })
    return `<tr><th scope="row">${breakable(organism)}</th>${cells.join('')}</tr>\n`
  })
  return `<table class="heat"><thead><tr><td></td>${head}</tr></thead><tbody>${body.join('')}</tbody></table>`
}

function heatNumber(name: string, value: number | null, limit: number, highest: number): string {
  if (value === null) return `<span class="${name}">–</span>`
  const classes = [name, value < 0 ? 'minus' : 'plus', ...(value === highest ? ['highest'] : [])].join(' ')
  return `<span class="${classes}" style="--share:${(Math.abs(value) / limit).toFixed(2)}">${figure(value)}</span>`
}

function numbersIn(values: readonly (number | null)[]): number[] {
  return values.filter((value) => value !== null)
}
