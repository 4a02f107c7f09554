import { placeText } from '../core/place.ts'
import { changeText } from '../lineage/changes.ts'
import type { Behind } from '../lineage/reasons.ts'
import type { Root, Told } from '../lineage/told.ts'
import type { Nearest, News, PlacedChange, Verdict } from '../lineage/verdict.ts'
import { formatNumberOf } from '../core/format.ts'
import { placesOf, whatHappened } from './reason-text.ts'
import { sanitizeLine } from './sanitize.ts'

/** A cell's verdict; for one that waits, with what is behind it. */
export interface ToldCell extends Told {
  readonly behind: Behind | null
  /** For one that a run made from other inputs: what that goes back to. */
  readonly roots: readonly Root[]
}

/** More kinds of reasons, changes or names than these are counted. */
const shown = { reasons: 8, changes: 12, cells: 3, tasks: 4, roots: 4 }

/** Why the cells of a task run or do not, cells of one reason together, the ones that run first. */
export function whyText(task: string, cells: readonly ToldCell[]): string {
  const groups = new Map<string, { told: ToldCell; cells: string[] }>()
  for (const told of cells) {
    const alike = verdictLines(told, false).join('\n')
    const known = groups.get(alike)
    if (known) known.cells.push(told.cell)
    else groups.set(alike, { told, cells: [told.cell] })
  }
  const ordered = [...groups.values()].toSorted((a, b) => urgency(a.told) - urgency(b.told))
  const lines = ordered.slice(0, shown.reasons).flatMap((group) => {
    const named = group.cells.slice(0, shown.cells).join(', ')
    const [head, ...rest] = verdictLines(group.told, true)
    return [
      `  ${formatNumberOf(group.cells.length, 'cell')} (${named}${group.cells.length > shown.cells ? ', …' : ''}) ${head}`,
      ...rest.map((line) => `      ${line}`),
    ]
  })
  const left = ordered.slice(shown.reasons).reduce((sum, group) => sum + group.cells.length, 0)
  if (left > 0)
    lines.push(`  … and ${formatNumberOf(left, 'more cell')}, each with a reason of its own: name one as ${task}:CELL, or see --json`)
  return [sanitizeLine(task), ...lines.map(sanitizeLine), ''].join('\n')
}

/** What would run stands first, then what ran, then what is served. */
function urgency({ verdict, tells }: Told): number {
  return verdict.verdict === 'served' ? 2 : tells === 'run' ? 1 : 0
}

/** The first line, and those under it; without `exact` what only this cell's evidence says is left out. */
function verdictLines({ verdict, tells, run, behind, roots }: ToldCell, exact: boolean): string[] {
  const ran = tells === 'run' ? `ran in run ${run}` : 'would run'
  switch (verdict.verdict) {
    case 'served': {
      const from = `served since run ${verdict.since}, from object ${short(verdict.object)}`
      if (verdict.afterAll && verdict.since === run)
        return [
          `made already when its turn came: another task of run ${run} had the same cell, served from object ${short(verdict.object)}`,
        ]
      if (verdict.afterAll) return [`unchanged after all: run ${run} expected to make it, but its inputs came out as before; ${from}`]
      return [`unchanged and ${from}`]
    }
    case 'changed':
      return [`${ran}: key changed since run ${verdict.since}`, ...changeLines(verdict.changes), ...rootLines(roots, exact)]
    case 'rebuilt':
      return [
        `${tells === 'run' ? `rebuilt in run ${run}` : 'would be rebuilt'}: unchanged since run ${verdict.since}, ${damageText(verdict)}`,
      ]
    case 'new':
      return [`${ran}: new: ${newsText(verdict.news)}`, ...nearestLines(verdict.nearest, exact)]
    case 'waits':
      return waitingLines(verdict, behind ?? { causes: [], waitsFor: [] })
  }
}

function waitingLines({ since, news, changes }: Verdict & { verdict: 'waits' }, { causes, waitsFor }: Behind): string[] {
  const more = waitsFor.length - shown.tasks
  const named = `${waitsFor.slice(0, shown.tasks).join(', ')}${more > 0 ? ` and ${formatNumberOf(more, 'more task')}` : ''}`
  const head = news
    ? `would run: new: ${newsText(news)}; it waits for ${named}`
    : changes.length > 0
      ? `would run: key changed since run ${since}; it waits for ${named}`
      : `would run if an input comes out differently than ${since === null ? 'before' : `for run ${since}`}: it waits for ${named}`
  return [
    head,
    ...changeLines(changes),
    ...causes.map((cause) => withPlaces(`because ${whatHappened({ ...cause, causes: [cause] })}`, placesOf([cause]))),
  ]
}

function rootLines(roots: readonly Root[], exact: boolean): string[] {
  const lines = roots.slice(0, shown.roots).map(({ at, verdict }) => `goes back to ${exact ? at : ''}: ${rootText(verdict)}`)
  return [...lines, ...(roots.length > lines.length ? [`… and ${formatNumberOf(roots.length - lines.length, 'more origin')}`] : [])]
}

function rootText(verdict: Verdict): string {
  switch (verdict.verdict) {
    case 'changed':
      return changeLines(verdict.changes.filter((change) => !change.from)).join('; ')
    case 'new':
      return `new: ${newsText(verdict.news)}`
    case 'rebuilt':
      return damageText(verdict)
    case 'served':
    case 'waits':
      return ''
  }
}

function changeLines(changes: readonly PlacedChange[]): string[] {
  const lines = changes.slice(0, shown.changes).map((change) => {
    const from = change.from ? [`output of ${change.from.slice(0, shown.cells).join(', ')}`] : []
    return withPlaces(changeText(change), change.place ? [placeText(change.place)] : from)
  })
  return [...lines, ...(changes.length > lines.length ? [`… and ${formatNumberOf(changes.length - lines.length, 'more change')}`] : [])]
}

function withPlaces(text: string, places: readonly string[]): string {
  return places.length > 0 ? `${text}   ${places.join(', ')}` : text
}

function newsText(news: News): string {
  switch (news.kind) {
    case 'first-run':
      return 'this workflow has made nothing before'
    case 'left-over':
      return `left over from run ${news.run}, which did not come so far`
    case 'added':
      return `${news.axis === 'promptSet' ? 'prompt set' : news.axis} ${news.name} was not there before`
  }
}

function nearestLines(nearest: Nearest | null, exact: boolean): string[] {
  if (!nearest) return []
  const changes = nearest.changes.map(changeText)
  return [
    `nearest earlier: ${exact ? nearest.cell : ''} of run ${nearest.run}, ${changes.length > 0 ? 'which differs in' : 'of the same key'}`,
    ...changes.slice(0, shown.changes).map((text) => `  ${text}`),
  ]
}

function damageText({ damage }: Verdict & { verdict: 'rebuilt' }): string {
  const { object, state, noticed, quarantine } = damage
  if (state === 'evicted') return 'and was given up after use; what runs now reads it again'
  if (state === 'gone') return `but object ${short(object)} is gone from the store`
  if (quarantine === null) return `but object ${short(object)} has another length than was written`
  return `but object ${short(object)} was damaged: noticed ${new Date(noticed ?? 0).toISOString()}, kept as ${quarantine} in the store`
}

function short(digest: string): string {
  return digest.slice(0, 12)
}
