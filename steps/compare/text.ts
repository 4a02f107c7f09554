import { figure, table } from '../common/markdown.ts'
import { plantedBy, type Plants } from '../common/plants.ts'
import { namesOf } from '../common/vectors.ts'
import { type Direction, type LayerCosines, type Pair, pairsAmong, pairsBetween, whatOf } from './cosines.ts'

const pairsListed = 10
const traitsListed = 2
/** Of more organisms than these only so many come first. */
const organismsListed = 20
const organismsOfLong = 10

type NameOf = (direction: Direction) => string

/** What cosines say, for reading. What organisms plant is in bold. */
export function cosinesMarkdown(layers: readonly LayerCosines[], plants: Plants): string {
  const all = layers.flatMap(({ directions }) => directions.filter((direction) => whatOf(direction) !== 'apart'))
  const name = namesOf(all.filter((direction) => whatOf(direction) === 'trait'))
  const organism: NameOf = (direction) => `${direction.organism}${layers.length > 1 ? `@${direction.layer}` : ''}`
  const hidden = all[0]?.numbers.length ?? 0
  const moved = movements(layers)
  const isLong = moved.length > organismsListed
  const first = isLong ? moved.toSorted((a, b) => clearness(b) - clearness(a)).slice(0, organismsOfLong) : moved
  return [
    '# How alike directions are',
    '',
    `Cosines of ${all.length} vectors of ${hidden} numbers, each with those of its layer: 1 is alike, −1 opposite. That of two directions drawn at random is beyond ±${figure(2 / Math.sqrt(hidden))} once in twenty times.`,
    '',
    ...(moved.length > 0
      ? [
          '## What organisms are moved along',
          '',
          [
            `The traits nearest to where an adapter moves the residual stream, the mean of organism minus clean model${isLong ? `, of the ${organismsOfLong} organisms of which it is clearest` : ''}.`,
            ...randomInWords(layers),
            ...ownPartInWords(moved),
            ...plantedInWords(moved, plants),
          ].join(' '),
          '',
          ...movementTable(first, plants, name),
          '',
        ]
      : []),
    ...mostAlike('Organisms that are moved alike', ['organism', 'organism'], pairsAmong(layers, 'organism'), organism),
    ...mostAlike('Traits that point alike, or opposite', ['trait', 'trait'], pairsAmong(layers, 'trait'), name),
    ...(isLong ? ['## Every organism', '', ...movementTable(moved, plants, name), ''] : []),
    'Each with each trait: a file of each layer beside this one. All of them: `cosines.json`.',
    '',
  ].join('\n')
}

/** An organism with the traits that it is moved along, the nearest first, each at the layer where it is nearest. */
interface Movement {
  readonly organism: string
  readonly nearest: readonly Pair[]
  /** The same of its own part; nothing where too few organisms say what they share. */
  readonly toOwnPart: readonly Pair[]
}

function movements(layers: readonly LayerCosines[]): Movement[] {
  const ofOwn = byOrganism(pairsBetween(layers, 'apart', 'trait'))
  return [...byOrganism(pairsBetween(layers, 'organism', 'trait'))].map(([organism, pairs]) => ({
    organism,
    nearest: highestOfEach(pairs),
    toOwnPart: highestOfEach(ofOwn.get(organism) ?? []),
  }))
}

function clearness({ nearest, toOwnPart }: Movement): number {
  return (toOwnPart[0] ?? nearest[0])?.cosine ?? 0
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
  const hasOwn = moved.some(({ toOwnPart }) => toOwnPart.length > 0)
  return table(
    ['organism', 'nearest trait', 'second', ...(hasOwn ? ['nearest to its own part', 'second'] : [])],
    moved.map(({ organism, nearest, toOwnPart }) => [organism, ...told(organism, nearest), ...(hasOwn ? told(organism, toOwnPart) : [])]),
  )
}

function randomInWords(layers: readonly LayerCosines[]): string[] {
  const random = pairsBetween(layers, 'organism', 'random').map(({ cosine }) => Math.abs(cosine))
  return random.length > 0 ? [`Along the random directions it comes to ${figure(Math.max(...random))} at most, of either sign.`] : []
}

function ownPartInWords(moved: readonly Movement[]): string[] {
  if (!moved.some(({ toOwnPart }) => toOwnPart.length > 0)) return []
  return ['Its own part is what is left without the mean of all organisms, which training moves alike to some degree.']
}

/** Of how many organisms what they plant is what they are moved along most. */
function plantedInWords(moved: readonly Movement[], plants: Plants): string[] {
  const planting = moved.filter(({ organism }) => plantedBy(plants, organism).length > 0)
  if (planting.length === 0) return []
  const count = (of: (movement: Movement) => readonly Pair[]) =>
    planting.filter((movement) => plantedBy(plants, movement.organism).includes(of(movement)[0]?.other.trait ?? '')).length
  const hasOwn = planting.some(({ toOwnPart }) => toOwnPart.length > 0)
  const ofOwn = hasOwn ? `, and to the own part of ${count(({ toOwnPart }) => toOwnPart)}` : ''
  return [`Of ${planting.length} that plant one of these traits it is the nearest to ${count(({ nearest }) => nearest)}${ofOwn}.`]
}

function byOrganism(pairs: readonly Pair[]): ReadonlyMap<string, readonly Pair[]> {
  return Map.groupBy(pairs, ({ one }) => one.organism as string)
}

/** The highest pair of each trait, the highest first. */
function highestOfEach(pairs: readonly Pair[]): Pair[] {
  const sorted = [...pairs].sort((a, b) => b.cosine - a.cosine)
  return [...Map.groupBy(sorted, ({ other }) => other.trait).values()].map(([highest]) => highest as Pair)
}

/** The pairs that are clearest, each at the layer and of the methods where it is. */
function mostAlike(title: string, head: readonly string[], pairs: readonly Pair[], name: NameOf): string[] {
  if (pairs.length === 0) return []
  const sorted = [...pairs].sort((a, b) => Math.abs(b.cosine) - Math.abs(a.cosine))
  const clearest = [...Map.groupBy(sorted, ({ one, other }) => `${one.trait} ${other.trait}`).values()].map(([pair]) => pair as Pair)
  const rows = clearest.slice(0, pairsListed).map(({ one, other, cosine }) => [name(one), name(other), figure(cosine)])
  return [`## ${title}`, '', ...table([...head, 'cosine'], rows), '']
}

/** All vectors of a layer that are no random directions, with each of its traits. */
export function layerMarkdown({ layer, directions, cosines }: LayerCosines): string {
  const name = namesOf(directions)
  const shown = directions.flatMap((direction, index) => (whatOf(direction) === 'random' ? [] : [{ direction, index }]))
  const traits = shown.filter(({ direction }) => whatOf(direction) === 'trait')
  const columns = traits.length > 0 ? traits : shown
  const nameOfColumn = namesOf(columns.map(({ direction }) => direction))
  const rows = shown.map(({ direction, index }) => [
    name(direction),
    ...columns.map((column) => figure(cosines[index]?.[column.index] as number)),
  ])
  return [
    `# Cosines at layer ${layer}`,
    '',
    ...table(['vector', ...columns.map(({ direction }) => nameOfColumn(direction))], rows),
    '',
  ].join('\n')
}
