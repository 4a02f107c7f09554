import { figure, firstOfMany, manyOrganisms, table } from '../common/markdown.ts'
import { plantedBy, type Plants } from '../common/plants.ts'
import type { ToldOfOrganisms } from '../common/told.ts'
import { namesOf } from '../common/vectors.ts'
import { type Direction, type LayerCosines, type Pair, pairsAmong, pairsBetween, whatOf } from './cosines.ts'
import { clearestFirst, haveOwnParts, type Movement, movements, plantedNearest } from './movement.ts'

const pairsListed = 10
const traitsListed = 2

type NameOf = (direction: Direction) => string

/** What cosines say, for reading. What organisms plant is in bold. */
export function cosinesMarkdown(layers: readonly LayerCosines[], plants: Plants): string {
  const given = layers.flatMap(({ directions }) => directions.filter((direction) => whatOf(direction) !== 'apart'))
  const name = namesOf(given.filter((direction) => whatOf(direction) === 'trait'))
  const organism: NameOf = (direction) => `${direction.organism}${layers.length > 1 ? `@${direction.layer}` : ''}`
  const hidden = given[0]?.numbers.length ?? 0
  const moved = movements(layers)
  return [
    '# How alike directions are',
    '',
    `Cosines of ${given.length} vectors of ${hidden} numbers, each with those of its layer: 1 is alike, −1 opposite. That of two directions drawn at random is beyond ±${figure(2 / Math.sqrt(hidden))} once in twenty times.`,
    '',
    ...movedAlong(moved, layers, plants, name),
    ...mostAlike('Organisms that are moved alike', ['organism', 'organism'], pairsAmong(layers, 'organism'), organism),
    ...mostAlike('Traits that point alike, or opposite', ['trait', 'trait'], pairsAmong(layers, 'trait'), name),
    ...(moved.length > manyOrganisms ? ['## Every organism', '', ...movementTable(moved, plants, name), ''] : []),
    'Each with each trait: a file of each layer beside this one. All of them: `cosines.json`.',
    '',
  ].join('\n')
}

/** Of the organisms, or of those of many of which it is clearest, the traits that they are moved along. */
function movedAlong(moved: readonly Movement[], layers: readonly LayerCosines[], plants: Plants, name: NameOf): string[] {
  if (moved.length === 0) return []
  const isLong = moved.length > manyOrganisms
  const shown = isLong ? clearestFirst(moved).slice(0, firstOfMany) : moved
  const sentences = [
    `The traits nearest to where an adapter moves the residual stream, the mean of organism minus clean model${isLong ? `, of the ${firstOfMany} organisms of which it is clearest` : ''}.`,
    ...randomInWords(layers),
    ...(haveOwnParts(moved)
      ? ['Its own part is what is left without the mean of all organisms, which training moves alike to some degree.']
      : []),
    ...plantedInWords(moved, plants),
  ]
  return ['## What organisms are moved along', '', sentences.join(' '), '', ...movementTable(shown, plants, name), '']
}

function randomInWords(layers: readonly LayerCosines[]): string[] {
  const random = pairsBetween(layers, 'organism', 'random').map(({ cosine }) => Math.abs(cosine))
  return random.length > 0 ? [`Along the random directions it comes to ${figure(Math.max(...random))} at most, of either sign.`] : []
}

function plantedInWords(moved: readonly Movement[], plants: Plants): string[] {
  const { organisms, nearest, toOwnPart } = plantedNearest(moved, plants)
  if (organisms === 0) return []
  const ofOwn = haveOwnParts(moved) ? `, and is the nearest to the own part of ${toOwnPart}` : ''
  return [`What an organism plants is the nearest trait of ${nearest} of ${organisms} that plant one of these${ofOwn}.`]
}

function movementTable(moved: readonly Movement[], plants: Plants, name: NameOf): string[] {
  const told = (organism: string, pairs: readonly Pair[]): string[] => {
    const planted = plantedBy(plants, organism)
    const texts = pairs.slice(0, traitsListed).map(({ other, cosine }) => {
      const text = `${name(other)} ${figure(cosine)}`
      return planted.includes(other.trait) ? `**${text}**` : text
    })
    return Array.from({ length: traitsListed }, (_, index) => texts[index] ?? '–')
  }
  const hasOwn = haveOwnParts(moved)
  return table(
    ['organism', 'nearest trait', 'second', ...(hasOwn ? ['nearest to its own part', 'second'] : [])],
    moved.map(({ organism, nearest, toOwnPart }) => [organism, ...told(organism, nearest), ...(hasOwn ? told(organism, toOwnPart) : [])]),
  )
}

/** Of each organism the traits that are nearest to where it is moved, and to its own part. */
export function toldOfOrganisms(layers: readonly LayerCosines[]): ToldOfOrganisms {
  const traits = layers.flatMap(({ directions }) => directions.filter((direction) => whatOf(direction) === 'trait'))
  const name = namesOf(traits)
  const moved = movements(layers)
  const hasOwn = haveOwnParts(moved)
  const told = (pairs: readonly Pair[]) =>
    pairs
      .slice(0, traitsListed)
      .map(({ other, cosine }) => `${name(other)} ${figure(cosine)}`)
      .join(', ')
  return {
    head: ['nearest traits', ...(hasOwn ? ['nearest to its own part'] : [])],
    organisms: moved.map(({ organism, nearest, toOwnPart }) => ({
      organism,
      texts: [told(nearest), ...(hasOwn ? [told(toOwnPart)] : [])],
    })),
  }
}

/** The pairs that are clearest, each at the layer and of the methods where it is. */
function mostAlike(title: string, head: readonly string[], pairs: readonly Pair[], name: NameOf): string[] {
  if (pairs.length === 0) return []
  const sorted = [...pairs].sort((a, b) => Math.abs(b.cosine) - Math.abs(a.cosine))
  const clearest = [...Map.groupBy(sorted, ({ one, other }) => `${one.trait} ${other.trait}`).values()].map(([pair]) => pair as Pair)
  const rows = clearest.slice(0, pairsListed).map(({ one, other, cosine }) => [name(one), name(other), figure(cosine)])
  return [`## ${title}`, '', ...table([...head, 'cosine'], rows), '']
}

/** All vectors of a layer that are no random directions, with each of its traits; with each other where it has none. */
export function layerMarkdown({ layer, directions, cosines }: LayerCosines): string {
  const name = namesOf(directions)
  const shown = directions.flatMap((direction, index) => (whatOf(direction) === 'random' ? [] : [{ direction, index }]))
  const traits = shown.filter(({ direction }) => whatOf(direction) === 'trait')
  const columns = traits.length > 0 ? traits : shown
  const nameOfColumn = namesOf(columns.map(({ direction }) => direction))
  const head = columns.map(({ direction }) => nameOfColumn(direction))
  const rows = shown.map(({ direction, index }) => [
    name(direction),
    ...columns.map((column) => figure(cosines[index]?.[column.index] as number)),
  ])
  return [`# Cosines at layer ${layer}`, '', ...table(['vector', ...head], rows), ''].join('\n')
}
