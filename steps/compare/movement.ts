import { plantedBy, type Plants } from '../common/plants.ts'
import { type LayerCosines, type Pair, pairsBetween } from './cosines.ts'

/** An organism with the traits that it is moved along, the nearest first, each at the layer where it is nearest. */
export interface Movement {
  readonly organism: string
  readonly nearest: readonly Pair[]
  /** The same of its own part; nothing where too few organisms say what they share. */
  readonly toOwnPart: readonly Pair[]
}

export function movements(layers: readonly LayerCosines[]): Movement[] {
  const ofOwn = byOrganism(pairsBetween(layers, 'apart', 'trait'))
  return [...byOrganism(pairsBetween(layers, 'organism', 'trait'))].map(([organism, pairs]) => ({
    organism,
    nearest: highestOfEach(pairs),
    toOwnPart: highestOfEach(ofOwn.get(organism) ?? []),
  }))
}

function byOrganism(pairs: readonly Pair[]): ReadonlyMap<string, readonly Pair[]> {
  return Map.groupBy(pairs, ({ one }) => one.organism as string)
}

/** The highest pair of each trait, the highest first. */
function highestOfEach(pairs: readonly Pair[]): Pair[] {
  const sorted = [...pairs].sort((a, b) => b.cosine - a.cosine)
  return [...Map.groupBy(sorted, ({ other }) => other.trait).values()].map(([highest]) => highest as Pair)
}

/** Those first whose nearest trait is nearest. */
export function clearestFirst(moved: readonly Movement[]): Movement[] {
  const clearness = ({ nearest, toOwnPart }: Movement) => (toOwnPart[0] ?? nearest[0])?.cosine ?? 0
  return moved.toSorted((a, b) => clearness(b) - clearness(a))
}

/** Whether the organisms say what they share. */
export function haveOwnParts(moved: readonly Movement[]): boolean {
  return moved.some(({ toOwnPart }) => toOwnPart.length > 0)
}

/** Organisms that plant a trait: how many, and of how many it is the nearest, and to their own part. */
export interface PlantedNearest {
  readonly organisms: number
  readonly nearest: number
  readonly toOwnPart: number
}

export function plantedNearest(moved: readonly Movement[], plants: Plants): PlantedNearest {
  const planting = moved.filter(({ organism }) => plantedBy(plants, organism).length > 0)
  const count = (of: (movement: Movement) => readonly Pair[]) =>
    planting.filter((movement) => plantedBy(plants, movement.organism).includes(of(movement)[0]?.other.trait ?? '')).length
  return { organisms: planting.length, nearest: count(({ nearest }) => nearest), toOwnPart: count(({ toOwnPart }) => toOwnPart) }
}
