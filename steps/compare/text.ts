import { figure, table } from '../common/markdown.ts'
import { plantedBy, type Plants } from '../common/plants.ts'
import { namesOf } from '../common/vectors.ts'
import { type Direction, type LayerCosines, type Pair, pairsAmong, pairsBetween, whatOf } from './cosines.ts'

const pairsListed = 10
const traitsListed = 2

type NameOf = (direction: Direction) => string

/** What cosines say, for reading. What organisms plant is in bold. */
export function cosinesMarkdown(layers: readonly LayerCosines[], plants: Plants): string {
  const all = layers.flatMap(({ directions }) => directions.filter((direction) => whatOf(direction) !== 'apart'))
  const name = namesOf(all)
  const organism: NameOf = (direction) => `${direction.organism}${layers.length > 1 ? `@${direction.layer}` : ''}`
  const hidden = all[0]?.numbers.length ?? 0
  return [
    '# How alike directions are',
    '',
    `Cosines of ${all.length} vectors of ${hidden} numbers, each with those of its layer: 1 is alike, −1 opposite. That of two directions drawn at random is beyond ±${figure(2 / Math.sqrt(hidden))} once in twenty times.`,
    '',
    ...movedAlong(layers, plants, name),
    ...mostAlike('Organisms that are moved alike', ['organism', 'organism'], pairsAmong(layers, 'organism'), organism),
    ...mostAlike('Traits that point alike, or opposite', ['trait', 'trait'], pairsAmong(layers, 'trait'), name),
    'Each with each trait: a file of each layer beside this one. All of them: `cosines.json`.',
    '',
  ].join('\n')
}

/** Of each organism the traits that it is moved along most, each at the layer where it is most. */
function movedAlong(layers: readonly LayerCosines[], plants: Plants, name: NameOf): string[] {
  const ofAll = byOrganism(pairsBetween(layers, 'organism', 'trait'))
  if (ofAll.size === 0) return []
  const ofOwn = byOrganism(pairsBetween(layers, 'apart', 'trait'))
  const told = (organism: string, pairs: readonly Pair[]): string[] => {
    const planted = plantedBy(plants, organism)
    const nearest = highestOfEach(pairs).map(({ other, cosine }) => {
      const text = `${name(other)} ${figure(cosine)}`
      return planted.includes(other.trait) ? `**${text}**` : text
    })
    return Array.from({ length: traitsListed }, (_, index) => nearest[index] ?? '–')
  }
  const rows = [...ofAll].map(([organism, pairs]) => [
    organism,
    ...told(organism, pairs),
    ...(ofOwn.size > 0 ? told(organism, ofOwn.get(organism) ?? []) : []),
  ])
  const random = pairsBetween(layers, 'organism', 'random').map(({ cosine }) => Math.abs(cosine))
  const baseline =
    random.length > 0 ? ` Along the random directions it comes to ${figure(Math.max(...random))} at most, of either sign.` : ''
  const own =
    ofOwn.size > 0 ? ' Its own part is what is left without the mean of all organisms, which training moves alike to some degree.' : ''
  return [
    '## What organisms are moved along',
    '',
    `The traits nearest to where an adapter moves the residual stream, the mean of organism minus clean model.${baseline}${own}`,
    '',
    ...table(['organism', 'nearest trait', 'second', ...(ofOwn.size > 0 ? ['nearest to its own part', 'second'] : [])], rows),
    '',
  ]
}

function byOrganism(pairs: readonly Pair[]): ReadonlyMap<string, readonly Pair[]> {
  return Map.groupBy(pairs, ({ one }) => one.organism as string)
}

/** The highest pair of each trait, the highest first. */
function highestOfEach(pairs: readonly Pair[]): Pair[] {
  const sorted = [...pairs].sort((a, b) => b.cosine - a.cosine)
  return [...Map.groupBy(sorted, ({ other }) => other.trait).values()].map(([highest]) => highest as Pair).slice(0, traitsListed)
}

function mostAlike(title: string, head: readonly string[], pairs: readonly Pair[], name: NameOf): string[] {
  if (pairs.length === 0) return []
  const sorted = [...pairs].sort((a, b) => Math.abs(b.cosine) - Math.abs(a.cosine)).slice(0, pairsListed)
  const rows = sorted.map(({ one, other, cosine }) => [name(one), name(other), figure(cosine)])
  return [`## ${title}`, '', ...table([...head, 'cosine'], rows), '']
}

/** All vectors of a layer that are no random directions, with each of its traits. */
export function layerMarkdown({ layer, directions, cosines }: LayerCosines): string {
  const name = namesOf(directions)
  const shown = directions.flatMap((direction, index) => (whatOf(direction) === 'random' ? [] : [{ direction, index }]))
  const traits = shown.filter(({ direction }) => whatOf(direction) === 'trait')
  const columns = traits.length > 0 ? traits : shown
  const rows = shown.map(({ direction, index }) => [
    name(direction),
    ...columns.map((column) => figure(cosines[index]?.[column.index] as number)),
  ])
  return [`# Cosines at layer ${layer}`, '', ...table(['vector', ...columns.map(({ direction }) => name(direction))], rows), ''].join('\n')
}
