import type { MendedDamage } from '../store/health/damage.ts'
import type { VerifyReport } from '../store/health/verify.ts'
import { formatBytes, formatCount, formatDuration, formatNumberOf } from '../core/format.ts'
import { sanitizeLine } from './sanitize.ts'

/** At most this many cells of one task are named. */
const namedCells = 4

/** What was checked, every damage with the cells it touches, and what happens next. */
export function verifyText(report: VerifyReport): string {
  const { checked, damage, results } = report
  const lines = [
    `${report.store}: ${formatNumberOf(checked.manifests, 'manifest')}, ${formatNumberOf(checked.cells, 'cell')}, ${formatNumberOf(checked.objects, 'object')} (${formatBytes(checked.bytes)}), ${formatNumberOf(checked.results, 'result')} shown`,
    readLine(report),
    ...damage.flatMap((each) => ['', ...damageLines(each)]),
  ]
  if (damage.length > 0) lines.push('')
  if (results.gone > 0) lines.push(`${formatNumberOf(results.gone, 'shown result')} removed since: the next run puts them back`)
  if (results.edited.length > 0)
    lines.push(
      `${formatNumberOf(results.edited.length, 'shown result')} edited since, e.g. ${sanitizeLine(results.edited[0] as string)}: the next run keeps the edited file aside`,
    )
  if (report.lostCells > 0)
    lines.push(`${formatNumberOf(report.lostCells, 'cell')} found lost before: \`dag run\` of their workflow makes them again`)
  lines.push(verdict(report))
  return `${lines.join('\n')}\n`
}

function readLine({ read, checked }: VerifyReport): string {
  if (!read) return 'sizes checked, no data read (--read-data reads it)'
  const { objects, bytes, seconds, throughCache, more } = read
  const part = more === null ? '' : ` of ${formatCount(checked.objects)}`
  const rate = bytes / 1e6 / Math.max(seconds, 1e-3)
  const how = throughCache ? 'through the page cache, since this file system allows nothing else' : 'past the page cache'
  const rest =
    more === null
      ? ''
      : more === 0
        ? '; the end of the store is reached, the next such reading begins anew'
        : `; ${formatNumberOf(more, 'more such reading')} ${more === 1 ? 'reaches' : 'reach'} the end of the store`
  return `read ${formatNumberOf(objects, 'object')}${part} (${formatBytes(bytes)}) ${how} in ${formatDuration(seconds)}, ${formatCount(rate)} MB/s${rest}`
}

function damageLines({ what, name, detail, affected, mended }: MendedDamage): string[] {
  return [
    `DAMAGED ${titles[what](name)} ${detail}`,
    ...affected.map(({ workflow, task, run, cells }) => {
      const named = cells.slice(0, namedCells).map(sanitizeLine).join(', ')
      return `  ${sanitizeLine(task)} of ${sanitizeLine(workflow)}, run ${run}: ${formatNumberOf(cells.length, 'cell')} (${named}${cells.length > namedCells ? ', …' : ''})`
    }),
    ...(mended ? [`  ${outcomes[mended]}`] : []),
  ]
}

const titles: Readonly<Record<MendedDamage['what'], (name: string) => string>> = {
  object: (name) => `objects/${name.slice(0, 2)}/${name}`,
  manifest: (name) => `manifests/${name}`,
  index: (name) => (name === 'index.db' ? name : `index.db, the rows of manifests/${name}:`),
  view: sanitizeLine,
}

const outcomes: Readonly<Record<NonNullable<MendedDamage['mended']>, string>> = {
  quarantined: 'taken out of use; what is left of it is in quarantine/',
  rewritten: 'written anew from the rest of the store; nothing need be made again',
  rebuilt: 'kept in quarantine/ and made again from the manifests; nothing need be made again',
  forgotten: 'the next run writes it anew and keeps this one aside',
}

function verdict({ damage, heldBy }: VerifyReport): string {
  if (damage.length === 0) return 'no damage'
  const found = `${formatNumberOf(damage.length, 'damage')} found`
  if (heldBy) return `${found}; nothing was put right, since the store is in use by ${heldBy}: run \`dag verify\` again when it has ended`
  if (damage.every(({ mended }) => mended === null)) return `${found}; nothing was changed: \`dag verify\` without --dry-run puts it right`
  const lost = damage.filter(({ mended }) => mended === 'quarantined').flatMap(({ affected }) => affected.flatMap(({ cells }) => cells))
  return lost.length > 0
    ? `${found}; \`dag run\` of the workflows that need them makes exactly those ${formatNumberOf(lost.length, 'cell')} again`
    : `${found} and put right`
}
