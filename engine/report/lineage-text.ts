import type { Digest } from '../core/digest.ts'
import { makerText } from '../core/maker.ts'
import type { LineageNode, MakerGroup, OperationGroup } from '../lineage/lineage.ts'
import { formatCount, formatNumberOf } from '../core/format.ts'
import { sanitizeLine } from './sanitize.ts'

export type ShownNode = LineageNode & { readonly files: readonly string[] }

/** What `dag lineage --json` prints, beside the cells. */
export interface LineageReport {
  readonly artifact: string
  readonly direction: 'up' | 'down'
  /** What was named, when it is no single cell: `adapter alpha`. */
  readonly what: string | null
  readonly revision: string | null
  /** Other revisions of it that the store holds cells of. */
  readonly otherRevisions: readonly string[]
  /** What the artifact and all that was reached was computed by. */
  readonly makers: readonly MakerGroup[]
  /** How many cells the artifact is. */
  readonly start: number
  /** What else was reached. */
  readonly counts: readonly { readonly operation: string; readonly cells: number; readonly tasks: number }[]
  /** Cells that result files show. */
  readonly shown: readonly { readonly task: string; readonly cell: string; readonly run: string; readonly files: readonly string[] }[]
}

/** The cells of a lineage, to be read when they are shown. */
export interface Cells {
  readonly start: ReadonlySet<Digest>
  readonly groups: readonly OperationGroup[]
  node(key: Digest): ShownNode | null
}

/** At most this many are written out unless every one is asked for; the rest are counted. */
const shownEach = 8
const shownFiles = 3

/** Where a cell comes from: how many cells of what, then those by operation, each with its key components, facts and run, and what computed them. */
export function upText({ makers, counts }: LineageReport, { start, groups, node }: Cells, details: boolean): string {
  const most = details ? Number.POSITIVE_INFINITY : shownEach
  const lines = groups.flatMap(({ operation, keys }) => {
    const role = start.has(keys[0] as Digest) ? '' : 'from '
    return [
      `${role}${operation}${keys.length > 1 ? ` (${formatNumberOf(keys.length, 'cell')})` : ''}`,
      ...keys.slice(0, most).flatMap((key) => nodeLines(node(key), details)),
      ...(keys.length > most ? [`  … and ${formatCount(keys.length - most)} more`] : []),
      '',
    ]
  })
  const made = counts.length > 0 ? [`made of ${countsInWords(counts)}`, ''] : []
  return [...made, ...lines, ...makerLines(makers)].map(sanitizeLine).join('\n')
}

function countsInWords(counts: LineageReport['counts']): string {
  return counts.map(({ operation, cells, tasks }) => `${formatCount(cells)} ${operation} of ${formatNumberOf(tasks, 'task')}`).join(', ')
}

function makerLines(makers: readonly MakerGroup[]): string[] {
  const counts = ({ cells }: MakerGroup) => Object.entries(cells).map(([operation, count]) => `${formatCount(count)} ${operation}`)
  const who = ({ maker }: MakerGroup) => (maker && makerText(maker)) || 'not noted'
  return ['computed by', ...makers.map((group) => `  ${who(group)}: ${counts(group).join(', ')}`), '']
}

/** What was made from something: counts first, then the results that show it, and every cell where that is asked for. */
export function downText(report: LineageReport, { groups, start, node }: Cells, details: boolean): string {
  const { what, revision, otherRevisions, counts, shown, artifact } = report
  const head = what ?? artifact
  const most = details ? shown.length : shownEach
  const left = shown.length - most
  return [
    `${head}${revision === null ? '' : ` at revision ${revision.slice(0, 12)}`}${report.start === 1 ? '' : `: ${formatNumberOf(report.start, 'cell')}`}`,
    ...(otherRevisions.length > 0 ? [`  other revisions: ${otherRevisions.map((other) => other.slice(0, 12)).join(', ')}`] : []),
    counts.length > 0 ? `used by ${countsInWords(counts)}` : 'used by nothing',
    ...(shown.length > 0 ? [`shown in the files of ${formatNumberOf(shown.length, 'result')}`] : []),
    ...shown.slice(0, most).flatMap(({ task, cell, files }) => [`  ${task}:${cell}`, ...fileLines(files, details, '')]),
    ...(left > 0 ? [`  … and ${formatNumberOf(left, 'more result')}; --details lists all, and every cell`] : []),
    ...(details ? groups.flatMap(({ operation, keys }) => ['', operation, ...keys.map((key) => cellLine(node(key), start))]) : []),
    '',
  ]
    .map(sanitizeLine)
    .join('\n')
}

function cellLine(node: ShownNode | null, start: ReadonlySet<Digest>): string {
  if (!node) return '  (not in the index)'
  return `  ${node.task}:${node.cell}   run ${node.run}   key ${node.key.slice(0, 16)}${start.has(node.key) ? '   (named)' : ''}`
}

/** What people read stands first, and of that what lies nearer to the top. */
function fileLines(files: readonly string[], details: boolean, before: string): string[] {
  const rank = (file: string) => Number(!/\.(md|html)$/.test(file))
  const depth = (file: string) => file.split('/').length
  const ordered = files.toSorted((a, b) => rank(a) - rank(b) || depth(a) - depth(b))
  const most = details ? files.length : shownFiles
  const left = files.length - most
  return [
    ...ordered.slice(0, most).map((file) => `      ${before}${file}`),
    ...(left > 0 ? [`      and ${formatNumberOf(left, 'more file')}`] : []),
  ]
}

function nodeLines(node: ShownNode | null, details: boolean): string[] {
  if (!node) return []
  const { operation: _operation, version, ...components } = node.components
  return [
    `  ${node.task}:${node.cell}`,
    ...Object.entries(components).map(([name, value]) => `      ${name}: ${cut(JSON.stringify(value))}`),
    ...(Object.keys(node.facts).length > 0
      ? [
          `      facts: ${Object.entries(node.facts)
            .map(([name, value]) => `${name} ${value}`)
            .join(', ')}`,
        ]
      : []),
    ...spanLines(node),
    `      key ${node.key.slice(0, 16)} · result ${node.digest.slice(0, 16)} · step version ${version} · run ${node.run} of ${node.workflow}`,
    ...fileLines(node.files, details, 'shown as '),
  ]
}

/** Which of the recorded tokens are the answer. */
function spanLines(node: ShownNode): string[] {
  const { prompt_tokens: prompt, response_tokens: response } = node.facts
  if (typeof prompt !== 'number' || typeof response !== 'number') return []
  return [`      token span: response is tokens ${prompt} to ${prompt + response - 1} of ${prompt + response}`]
}

function cut(text: string): string {
  const short = text.replaceAll(/"([0-9a-f]{16})[0-9a-f]{48}"/g, '$1…')
  return short.length > 200 ? `${short.slice(0, 199)}…` : short
}
