import type { Sources } from '../../engine/core/sources.ts'

/** What organisms are said to plant, by their names; those of which nothing is said are left out. */
export type Plants = Readonly<Record<string, readonly string[]>>

/** What each of the organisms is said to plant, of these traits. */
export function plantedOf(sources: Sources, organisms: readonly string[], traits: Iterable<string>): Plants {
  const known = new Set(traits)
  const named = sources.organisms.filter(({ name }) => organisms.includes(name))
  const planted = named.map(({ name, plants }) => [name, plants.filter((trait) => known.has(trait))] as const)
  return Object.fromEntries(planted.filter(([, own]) => own.length > 0))
}

/** What one of them is said to plant, which may be called like something that every object has. */
export function plantedBy(plants: Plants, organism: string): readonly string[] {
  return Object.hasOwn(plants, organism) ? (plants[organism] as readonly string[]) : []
}
