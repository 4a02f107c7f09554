import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { elicited, root, variants } from '../support/paths.ts'
import { type Asked, askedOf, readsOf } from './asked.ts'
import { type Made, madeIn, same } from './made.ts'

/** What an operation does at one version. */
interface Fingerprint extends Asked {
  /** What came of it on the small models; left out for what the engine does itself, where `does` holds it all. */
  readonly made?: Readonly<Record<string, Made>>
}
export type Fingerprints = Readonly<Record<string, Fingerprint>>

const file = path.join(root, 'steps', 'fingerprints.json')

export function recorded(): Fingerprints {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Fingerprints
  } catch {
    return {}
  }
}

/** One cell a line. */
export function record(fingerprints: Fingerprints): void {
  const text = JSON.stringify(fingerprints, null, 2).replaceAll(/\[[^[\]{}"]*\]/g, (list) => JSON.stringify(JSON.parse(list)))
  writeFileSync(file, `${text}\n`)
}

/** What every operation does now. */
export async function observed(): Promise<Fingerprints> {
  const asked = await askedOf()
  const made = { ...(await madeIn(elicited)), ...(await madeIn(variants)) }
  return Object.fromEntries(Object.entries(asked).map(([name, own]) => [name, made[name] ? { ...own, made: made[name] } : own]))
}

/** What differs between two fingerprints of an operation, in words; nothing when only roundings do. */
export function differences(old: Fingerprint, now: Fingerprint): string[] {
  const names = Object.keys({ ...old.made, ...now.made })
  const other = names.filter((name) => !same(old.made?.[name], now.made?.[name]))
  return [
    ...(old.keys === now.keys ? [] : ['the components of its keys']),
    ...(old.does === now.does ? [] : [now.made ? 'what it asks for' : 'what it writes']),
    ...(other.length > 0 ? [`what is made of ${other.length} of ${names.length} cells (first: ${other[0]})`] : []),
  ]
}

/** What is wrong with an operation's fingerprint, and what to do; null when nothing is. */
export function complaint(name: string, old: Fingerprint | undefined, now: Fingerprint | undefined): string | null {
  const accept = '`npx dag accept`'
  if (!now) return `${name} is recorded in steps/fingerprints.json and is no operation of any step kind: ${accept} takes it out`
  if (!old) return `${name} has no fingerprint in steps/fingerprints.json: ${accept} records it`
  if (now.version < old.version)
    return `${name} is at version ${now.version}, and was at ${old.version}: raise it to ${old.version + 1} in ${placeOf(name)}; an old number would serve what that version made`
  if (now.version > old.version)
    return `${name} is at version ${now.version}, its fingerprint is of ${old.version}: ${accept} records the new one`
  const differing = differences(old, now)
  if (differing.length === 0) return null
  return [
    `${name} ${now.version} is not what it was: ${differing.join('; ')}.`,
    `If it can give other results than before, raise its version to ${now.version + 1} in ${placeOf(name)}: everything that it made is made anew.`,
    `If results are the same and somebody has reviewed that, leave the version. Either way ${accept} then records it.`,
  ].join('\n')
}

/** What is wrong with all of them, each with what it reads and is wrong too: that may be the cause. */
export function complaints(old: Fingerprints, now: Fingerprints): string[] {
  const found = new Map(Object.keys({ ...old, ...now }).map((name) => [name, complaint(name, old[name], now[name])]))
  const reads = readsOf()
  return [...found].flatMap(([name, text]) => {
    const causes = [...(reads.get(name) ?? [])].filter((other) => found.get(other))
    return text === null ? [] : [causes.length === 0 ? text : `${text}\nIt reads what ${causes.join(' and ')} makes: look there first.`]
  })
}

/** The module that declares an operation, found by its name. */
function placeOf(name: string): string {
  const modules = readdirSync(path.join(root, 'steps'), { recursive: true, encoding: 'utf8' }).filter((module) => module.endsWith('.ts'))
  const own = modules.find((module) => readFileSync(path.join(root, 'steps', module), 'utf8').includes(`  name: '${name}',\n  version:`))
  return own ? `steps/${own}` : 'steps/'
}
