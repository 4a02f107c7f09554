import { shiftMethod, vectorId } from '../common/vectors.ts'
import { answerId, type Checked, type FoundExperiment } from './import-check.ts'
import type { AnswerFile } from './import-layout.ts'
import { clean } from './names.ts'

/** A workflow that takes what can be trusted of an experiment. `folder`: that of the experiment, from the workflow's. */
export function importWorkflow(name: string, folder: string, found: FoundExperiment, checked: Checked): string {
  const { vectors, hidden, layers } = checked
  const prefixes = Map.groupBy(checked.taken, ({ set }) => prefixOf(set))
  const at = (rest: string) => quoted(`${folder}/${rest}`)
  const useful = vectors.filter(({ layer }) => layers.includes(layer))
  const suffixOf = (prefix: string) => (prefixes.size === 1 ? '' : `-${prefix.slice(0, -1).replaceAll('/', '-') || 'top'}`)
  const lines = [
    '# What `dag import trait-interp` found to be sound. Yours to edit: import never writes it over.',
    `workflow: ${scalar(name)}`,
    'steps:',
  ]
  for (const [prefix, taken] of prefixes) {
    const suffix = suffixOf(prefix)
    lines.push(...answersStep(`answers${suffix}`, prefix, taken, found, checked, at))
    if (checked.sides.clean) {
      lines.push(
        `  clean${suffix}:`,
        '    kind: imported',
        `    of: answers${suffix}`,
        `    recordings: ${at(`inference/${clean}/raw/residual/${prefix}{set}_replay_{organism}/{prompt}.pt`)}`,
        `    layers: ${list(layers)}`,
        `    hidden: ${hidden}`,
      )
    }
  }
  if (vectors.length > 0) lines.push(...vectorsStep(found, checked, at))
  // An experiment may have shifts as vectors already.
  const areShifts = checked.sides.organism && checked.sides.clean && !vectors.some(({ method }) => method === shiftMethod)
  if (areShifts) lines.push(...[...prefixes.keys()].flatMap((prefix) => shiftSteps(suffixOf(prefix), checked)))
  if (useful.length === 0 || !checked.sides.organism) return `${lines.join('\n')}\n`
  for (const prefix of prefixes.keys()) {
    const suffix = suffixOf(prefix)
    const of = checked.sides.clean ? `[answers${suffix}, clean${suffix}]` : `answers${suffix}`
    const shownIn = suffix === '' ? '' : `, folder: top_activating${suffix}`
    const wanted = list([...new Set(useful.map(({ layer }) => layer))].sort((a, b) => a - b))
    lines.push(
      `  scores${suffix}: { kind: project, of: ${of}, onto: vectors, layers: ${wanted} }`,
      `  ranking${suffix}: { kind: rank, of: scores${suffix}${checked.sides.clean ? '' : ', mode: raw'}${shownIn} }`,
      `  report${suffix}: { kind: report, of: ranking${suffix}${areShifts ? `, with: likeness${suffix}` : ''} }`,
    )
  }
  return `${lines.join('\n')}\n`
}

type At = (rest: string) => string

function answersStep(
  name: string,
  prefix: string,
  taken: readonly AnswerFile[],
  found: FoundExperiment,
  checked: Checked,
  at: At,
): string[] {
  const reason = reasonsOf(checked)
  const short = (set: string) => set.slice(prefix.length)
  const organisms = [...new Set(taken.map(({ organism }) => organism))].sort()
  const sets = [...new Set(taken.map(({ set }) => set))].sort()
  const own = new Set(taken.map(answerId))
  const left = found.layout.responses.filter(
    (file) => organisms.includes(file.organism) && sets.includes(file.set) && !own.has(answerId(file)),
  )
  const recordings = `inference/{organism}/raw/residual/${prefix}{set}/{prompt}.pt`
  return [
    `  ${name}:`,
    '    kind: imported',
    `    responses: ${at(`inference/{organism}/responses/${prefix}{set}/{prompt}.json`)}`,
    ...(checked.sides.organism
      ? [`    recordings: ${at(recordings)}`, `    layers: ${list(checked.layers)}`, `    hidden: ${checked.hidden}`]
      : []),
    `    organisms: ${list(organisms)}`,
    `    sets: ${list(sets.map(short))}`,
    ...(left.length > 0 ? ['    leave_out:'] : []),
    ...left.map((file) => `      - ${quoted(`${file.organism}/${short(file.set)}/${file.prompt}`)} # ${reason(answerId(file))}`),
  ]
}

function vectorsStep(found: FoundExperiment, checked: Checked, at: At): string[] {
  const { vectors, hidden } = checked
  const reason = reasonsOf(checked)
  const kept = new Set(vectors.map(({ path }) => path))
  const left = [...new Set(found.layout.vectors.filter((file) => !kept.has(file.path)).map(vectorId))]
  return [
    '  vectors:',
    '    kind: vectors',
    `    files: ${at(`extraction/*/{trait}/${vectors[0]?.place}/residual/{method}/layer{layer}.pt`)}`,
    `    hidden: ${hidden}`,
    ...(left.length > 0 ? ['    leave_out:'] : []),
    ...left.map((id) => `      - ${quoted(id)} # ${reason(id)}`),
  ]
}

/** Where the organisms are moved, and what that is like. */
function shiftSteps(suffix: string, { vectors }: Checked): string[] {
  const of = vectors.length > 0 ? `[vectors, shifts${suffix}]` : `shifts${suffix}`
  return [`  shifts${suffix}: { kind: shift, of: [answers${suffix}, clean${suffix}] }`, `  likeness${suffix}: { kind: compare, of: ${of} }`]
}

/** Why an answer or a vector is left out, on a line; the first reason where there are several. */
function reasonsOf({ findings }: Checked): (id: string) => string {
  const reasons = new Map(findings.toReversed().map(({ leavesOut, path, wrong }) => [leavesOut, `${path}: ${wrong}`]))
  return (id) => (reasons.get(id) ?? '').replaceAll(/\p{C}/gu, ' ')
}

/** What stands before the last part of a prompt set's path, with its slash. */
function prefixOf(set: string): string {
  return set.slice(0, set.lastIndexOf('/') + 1)
}

function list(values: readonly (string | number)[]): string {
  return `[${values.map((value) => (typeof value === 'number' ? value : scalar(value))).join(', ')}]`
}

/** A name in YAML: in quotes where it could be read as anything else. */
function scalar(text: string): string {
  return /^[a-z][a-z0-9_-]*$/.test(text) && !/^(true|false|null|yes|no|on|off|y|n)$/.test(text) ? text : quoted(text)
}

function quoted(text: string): string {
  return JSON.stringify(text)
}
