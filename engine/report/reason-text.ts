import { placeText } from '../core/place.ts'
import type { Cause } from '../lineage/causes.ts'
import { valueText } from '../lineage/changes.ts'
import type { ReasonGroup } from '../lineage/reasons.ts'
import { formatCount, formatPlural } from '../core/format.ts'
import { sanitizeLine } from './sanitize.ts'

/** More names than this are counted. */
const shownNames = 3

/** ``+1 trait `secret`: 4 vectors, 36 projections, then up to 1 overview, 1 report``. */
export function reasonLine(group: ReasonGroup): string {
  return sanitizeLine(`${whatHappened(group)}: ${countsText(group)}`)
}

/** What happened, in words. */
export function whatHappened({ type, subject, of, causes }: Pick<ReasonGroup, 'type' | 'subject' | 'of' | 'causes'>): string {
  const count = causes.length
  const one = count === 1
  const names = namesText(causes)
  switch (type) {
    case 'first-run':
      return 'first run'
    case 'left-over':
      return `left over from run ${causes[0]?.name}`
    case 'added':
      if (subject === 'layer') return `${one ? 'layer' : 'layers'} ${causes.map(({ name }) => name).join(', ')} added`
      return `+${formatCount(count)} ${noun(subject, count)} ${one ? names : `(${names})`}`
    case 'removed':
      return `−${formatCount(count)} ${noun(subject, count)} ${one ? names : `(${names})`}`
    case 'edited':
      return editedText(subject, count, names)
    case 'parameter':
      return `${causes.map(parameterText).join(', ')} ${subject === 'models' ? `in model \`${of}\`` : subject === 'steps' ? `in \`${of}\`` : ''}`.trimEnd()
    case 'operation':
      return causes.map(({ of: step, old, new: now }) => `\`${step}\` is made by operation \`${now}\`, was by \`${old}\``).join('; ')
    case 'version':
      return causes
        .map(({ name, old, new: now }) => `operation \`${name}\` is version ${valueText(now ?? null)}, was ${valueText(old ?? null)}`)
        .join('; ')
    case 'damaged':
      return one ? 'object damaged' : `${formatCount(count)} objects damaged`
    case 'gone':
      return one ? 'object lost' : `${formatCount(count)} objects lost`
    case 'evicted':
      return 'given up after use and wanted again'
    case 'made-before':
      return `inputs made in run ${causes.map(({ name }) => name).join(', ')}`
    case 'inputs':
      return `other inputs than before for ${names}`
  }
}

function editedText(subject: string, count: number, names: string): string {
  switch (subject) {
    case 'adapter':
      return count === 1 ? `adapter of organism ${names} changed` : `adapters of ${formatCount(count)} organisms changed (${names})`
    case 'model':
      return `other weights or tokenizer of model ${names}`
    case 'system_prompt':
      return count === 1
        ? `system prompt of prompt set ${names} edited`
        : `system prompts of ${formatCount(count)} prompt sets edited (${names})`
    default:
      return count === 1 ? `${subject} ${names} edited` : `${formatCount(count)} ${noun(subject, count)} edited (${names})`
  }
}

function parameterText({ name, old, new: now }: Cause): string {
  return `\`${name}\` ${valueText(old ?? null)} → ${valueText(now ?? null)}`
}

function namesText(causes: readonly Cause[]): string {
  const shown = causes.slice(0, shownNames).map(({ name }) => `\`${name}\``)
  return `${shown.join(', ')}${causes.length > shown.length ? ', …' : ''}`
}

function noun(subject: string, count: number): string {
  const word = subject === 'promptSet' ? 'prompt set' : subject
  return count === 1 ? word : `${word}s`
}

function countsText({ counts }: ReasonGroup): string {
  const listed = (which: 'sure' | 'may') =>
    Object.entries(counts).flatMap(([plural, count]) => (count[which] > 0 ? [formatPlural(count[which], plural)] : []))
  const sure = listed('sure').join(', ')
  const may = listed('may').join(', ')
  if (sure && may) return `${sure}, then up to ${may}`
  return sure || (may ? `up to ${may}` : 'counted above')
}

/** Where the causes are written, each place once. */
export function placesOf(causes: readonly Pick<Cause, 'place'>[]): string[] {
  return [...new Set(causes.flatMap(({ place }) => (place ? [placeText(place)] : [])))]
}
