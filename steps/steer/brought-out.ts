import { amountOf } from '../common/answer-ids.ts'
import { figure, table } from '../common/markdown.ts'
import { plantedBy, type Plants } from '../common/plants.ts'
import type { ToldOfOrganisms } from '../common/told.ts'
import { namesOf, randomMethod, vectorNamed } from '../common/vectors.ts'
import { type Effect, isBroken } from './effects.ts'
import { layerOf, namer } from './names.ts'
import { randomLimits } from './random-limits.ts'

/** Which directions are where an organism is moved, and what organisms are said to plant. */
export interface OfOrganisms {
  readonly shifts: ReadonlySet<string>
  readonly plants: Plants
}

/** What the clean model's answers move along when it is steered along what an organism does. */
export interface BroughtOut {
  readonly organism: string
  readonly effect: Effect
  /** Traits, those first along which answers move furthest. */
  readonly moved: readonly { readonly direction: string; readonly mean: number }[]
}

const traitsListed = 3

/**
 * Of each organism the strongest steering along its shift that leaves answers whole; of several layers the one that moves
 * them most clearly along any trait.
 */
export function broughtOut(effects: readonly Effect[], { shifts }: OfOrganisms): BroughtOut[] {
  const whole = effects.filter(
    (effect) => shifts.has(effect.direction) && effect.organism === null && effect.amount > 0 && !isBroken(effect),
  )
  const ofOne = Map.groupBy(whole, ({ direction }) => vectorNamed(direction).trait)
  return [...ofOne].flatMap(([organism, own]) => {
    const byLayer = [...Map.groupBy(own, layerOf).values()]
    const strongest = byLayer.map((all) => all.reduce((most, one) => (one.amount > most.amount ? one : most)))
    const effect = strongest.reduce((best, one) => (clearness(one, shifts) > clearness(best, shifts) ? one : best))
    const moved = traitsIn(effect, shifts).map((direction) => ({ direction, mean: effect.changes.get(direction)?.mean ?? 0 }))
    return moved.length > 0 ? [{ organism, effect, moved: moved.sort((a, b) => b.mean - a.mean) }] : []
  })
}

function traitsIn({ changes }: Effect, shifts: ReadonlySet<string>): string[] {
  return [...changes.keys()].filter((direction) => !shifts.has(direction) && vectorNamed(direction).method !== randomMethod)
}

function clearness(effect: Effect, shifts: ReadonlySet<string>): number {
  return Math.max(...traitsIn(effect, shifts).map((direction) => effect.changes.get(direction)?.cohensD ?? 0))
}

/** As a part of the summary; what organisms plant is in bold, and in brackets what random directions bring out as well. */
export function broughtOutMarkdown(effects: readonly Effect[], of: OfOrganisms): string[] {
  const found = broughtOut(effects, of)
  if (found.length === 0) return []
  const limit = randomLimits(effects)
  const [name, nameOfShift] = [traitName(found), namer(effects)]
  const rows = found.map(({ organism, effect, moved }) => {
    const planted = plantedBy(of.plants, organism)
    const texts = moved.slice(0, traitsListed).map(({ direction, mean }) => {
      const most = limit({ ...effect, direction })
      const text = `${name(direction)} ${most !== null && mean <= most ? `(${figure(mean)})` : figure(mean)}`
      return planted.includes(vectorNamed(direction).trait) ? `**${text}**` : text
    })
    return [nameOfShift(effect.direction), amountOf(effect), ...Array.from({ length: traitsListed }, (_, index) => texts[index] ?? '–')]
  })
  const sentences = [
    'The clean model steered along what an adapter does on average, its shift, by the most that leaves its answers whole: the traits along which they move furthest.',
    ...(effects.some(({ direction }) => vectorNamed(direction).method === randomMethod)
      ? ['In brackets it is no further than random directions take them.']
      : []),
    ...plantedInWords(found, of.plants),
  ]
  const head = ['steered along', 'by', 'furthest', 'second', 'third']
  return ['## What the organisms’ own directions bring out', '', sentences.join(' '), '', ...table(head, rows), '']
}

function plantedInWords(found: readonly BroughtOut[], plants: Plants): string[] {
  const planting = found.filter(({ organism }) => plantedBy(plants, organism).length > 0)
  if (planting.length === 0) return []
  const first = planting.filter(({ organism, moved: [most] }) =>
    plantedBy(plants, organism).includes(vectorNamed((most as BroughtOut['moved'][number]).direction).trait),
  )
  return [`What an organism plants, in bold, is brought out most for ${first.length} of ${planting.length} that plant one of these.`]
}

/** For a page that shows organisms. */
export function toldOfOrganisms(effects: readonly Effect[], of: OfOrganisms): ToldOfOrganisms {
  const found = broughtOut(effects, of)
  const name = traitName(found)
  return {
    head: ['brought out by its direction'],
    organisms: found.map(({ organism, moved }) => ({
      organism,
      texts: [
        moved
          .slice(0, 2)
          .map(({ direction, mean }) => `${name(direction)} ${figure(mean)}`)
          .join(', '),
      ],
    })),
  }
}

function traitName(found: readonly BroughtOut[]): (direction: string) => string {
  const name = namesOf([...new Set(found.flatMap(({ moved }) => moved.map(({ direction }) => direction)))].map(vectorNamed))
  return (direction) => name(vectorNamed(direction))
}
