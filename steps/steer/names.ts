import { namesOf, randomMethod, vectorNamed } from '../common/vectors.ts'
import type { Effect } from './effects.ts'

export function layerOf({ direction }: Effect): number {
  return vectorNamed(direction).layer
}

export function isRandom({ direction }: { readonly direction: string }): boolean {
  return vectorNamed(direction).method === randomMethod
}

/** The directions of these effects as tables name them. */
export function namer(effects: readonly Effect[]): (direction: string) => string {
  const vectors = [...new Set(effects.map(({ direction }) => direction))].map(vectorNamed)
  const name = namesOf(vectors)
  return (direction) => name(vectorNamed(direction))
}

/** Who is steered along what. */
export function steeringOf({ organism, direction }: Pick<Effect, 'organism' | 'direction'>): string {
  return JSON.stringify([organism, direction])
}

type Whose = Pick<Effect, 'organism'>

/** The column of organisms, where organisms are steered. */
export function whoHead(all: readonly Whose[]): string[] {
  return all.some(({ organism }) => organism !== null) ? ['organism'] : []
}

export function who(all: readonly Whose[], { organism }: Whose): string[] {
  return whoHead(all).map(() => organism ?? '–')
}
