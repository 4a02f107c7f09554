import type { Matrix } from '../common/matrix.ts'
import type { ToldOfOrganisms } from '../common/told.ts'
import { breakable, escapeHtml } from './html.ts'

/** With more organisms, what is told of them is folded up: the answers below would be out of sight. */
const openedTo = 12

/** What other steps say of the organisms of the matrix, side by side; nothing where none of them does. */
export function toldTable({ rows }: Matrix, told: readonly ToldOfOrganisms[]): string {
  if (told.length === 0) return ''
  const head = told.flatMap((one) => one.head.map((text) => `<th scope="col">${escapeHtml(text)}</th>`))
  const body = rows.map(({ organism }) => {
    const texts = told.flatMap((one) => textsOf(one, organism).map((text) => `<td>${kept(text)}</td>`))
    return `<tr><th scope="row">${breakable(organism)}</th>${texts.join('')}</tr>\n`
  })
  return `<details id="told"${rows.length > openedTo ? '' : ' open'}><summary>What the adapters do</summary>
<div><table><thead><tr><td></td>${head.join('')}</tr></thead><tbody>${body.join('')}</tbody></table></div></details>
`
}

function textsOf({ head, organisms }: ToldOfOrganisms, organism: string): readonly string[] {
  return organisms.find((one) => one.organism === organism)?.texts ?? head.map(() => '–')
}

/** A text that is broken neither before a number nor before what stands between two words. */
function kept(text: string): string {
  return escapeHtml(text)
    .replaceAll(' · ', '&nbsp;· ')
    .replaceAll(/ (?=-?\d+\.\d)/g, '&nbsp;')
}
