import { formatNumberOf } from '../core/format.ts'
import { sanitizeLine } from './sanitize.ts'

/** What `dag import` found; with `--json` it is printed as it is. */
export interface ImportReport {
  readonly experiment: string
  readonly found: { readonly responses: number; readonly recordings: number; readonly vectors: number }
  readonly taken: {
    readonly answers: number
    readonly organisms: readonly string[]
    readonly sets: readonly string[]
    readonly recordedOf: readonly ('organism' | 'clean')[]
    readonly layers: readonly number[]
    readonly hidden: number | null
    readonly vectors: number
  }
  readonly findings: readonly {
    readonly rule: string
    readonly path: string
    readonly wrong: string
    readonly leavesOut: string | null
    /** What it is counted under in the text: a side of an organism, or layers of it. */
    readonly counted?: readonly string[]
    /** Told of and taken all the same. */
    readonly accepted: boolean
  }[]
  /** What could not be looked at. */
  readonly notes: readonly string[]
  /** The workflow that was written. */
  readonly workflow: string | null
}

export interface RuleText {
  readonly title: string
  readonly hint: string
  /** Nothing is left out for it. */
  readonly tells?: boolean
}

/** Files of one rule that are named unless all are asked for. */
const shownEach = 5
/** The same of sides and layers of organisms: a line for each of the organisms of a night. */
const countsShown = 60

/** What is there, every kind of mistake with its files and what to do, and what is taken. */
export function importText(report: ImportReport, rules: Readonly<Record<string, RuleText>>, details: boolean): string {
  const { experiment, found, findings, notes, workflow } = report
  const lines = [
    `${experiment}: ${formatNumberOf(found.responses, 'response')}, ${formatNumberOf(found.recordings, 'recording')}, ${formatNumberOf(found.vectors, 'vector')}`,
    ...notes.map((note) => `note: ${note}`),
  ]
  for (const [rule, own] of Map.groupBy(findings, (finding) => finding.rule)) {
    const done = own[0]?.accepted ? 'accepted' : rules[rule]?.tells ? 'warning' : 'left out'
    lines.push('', `${done}: ${rules[rule]?.title ?? rule} (${own.length}) [${rule}]`)
    lines.push(...(details ? own.map(fileLine) : shortly(own)))
    lines.push(`  hint: ${rules[rule]?.hint ?? ''}`)
  }
  lines.push('', takenLine(report))
  if (workflow !== null) lines.push(`written to ${workflow}; \`dag run ${workflow}\` takes it and loads no language model`)
  return `${lines.map(sanitizeLine).join('\n')}\n`
}

type Told = ImportReport['findings'][number]

function fileLine({ path, wrong }: Told): string {
  return `  ${path}: ${wrong}`
}

/** The first files, or, of what comes in hundreds, how many there are of each organism and the first of them. */
function shortly(own: readonly Told[]): string[] {
  const counted = own.flatMap(({ counted: under = [], path }) => under.map((name) => ({ name, path })))
  if (counted.length === 0) return upTo(shownEach, own.map(fileLine))
  const counts = Map.groupBy(counted, ({ name }) => name)
  const lines = upTo(
    countsShown,
    [...counts].map(([name, files]) => `  ${name}: ${files.length}, the first ${files[0]?.path}`),
  )
  return counts.size < counted.length ? [...lines, '  --details lists each file'] : lines
}

function upTo(most: number, lines: readonly string[]): string[] {
  const rest = lines.length - most
  return rest > 0 ? [...lines.slice(0, most), `  … and ${rest} more; --details lists all`] : [...lines]
}

function takenLine({ found, taken }: ImportReport): string {
  if (taken.answers + taken.vectors === 0) return 'nothing can be taken'
  const { recordedOf, layers } = taken
  const sides = recordedOf.map((side) => (side === 'organism' ? 'of the organism' : 'of the clean model')).join(' and ')
  const recorded = recordedOf.length === 0 ? 'no recording' : `layers ${layers.join(', ')} ${sides}`
  const of = `${formatNumberOf(taken.organisms.length, 'organism')} to ${formatNumberOf(taken.sets.length, 'prompt set')}`
  return `can be taken: ${taken.answers} of ${formatNumberOf(found.responses, 'answer')} (${of}), with ${recorded}; ${taken.vectors} of ${formatNumberOf(found.vectors, 'vector')}`
}
