import { randomMethod, shiftMethod, type VectorName } from '../common/vectors.ts'

/** A vector, `[hidden]`; that of an organism says which. */
export interface Direction extends VectorName {
  readonly numbers: Float32Array
  readonly organism?: string
}

/** Two directions of one layer. */
export interface Pair {
  readonly one: Direction
  readonly other: Direction
  /** From −1, opposite, over 0 to 1, alike. */
  readonly cosine: number
}

/** The vectors of a layer with the cosine of each and each, in their order. */
export interface LayerCosines {
  readonly layer: number
  readonly directions: readonly Direction[]
  readonly cosines: readonly (readonly number[])[]
}

/** Vectors of different layers are in different spaces and are not compared. */
export function cosinesByLayer(directions: readonly Direction[]): LayerCosines[] {
  const byLayer = Map.groupBy(directions, ({ layer }) => layer)
  return [...byLayer].map(([layer, own]) => {
    const lengths = own.map(({ numbers }) => Math.sqrt(product(numbers, numbers)))
    const cosine = (one: number, other: number) =>
      product(own[one]?.numbers as Float32Array, own[other]?.numbers as Float32Array) /
      ((lengths[one] as number) * (lengths[other] as number))
    return { layer, directions: own, cosines: own.map((_, one) => own.map((__, other) => cosine(one, other))) }
  })
}

/** In float64. */
function product(one: Float32Array, other: Float32Array): number {
  let sum = 0
  for (let index = 0; index < one.length; index++) sum += (one[index] as number) * (other[index] as number)
  return sum
}

/** What a direction is of. */
export type Of = 'trait' | 'organism' | 'random'

export function whatOf({ method }: VectorName): Of {
  if (method === shiftMethod) return 'organism'
  return method === randomMethod ? 'random' : 'trait'
}

/** Pairs of two different ones that `wanted` takes, each once. */
export function pairsAmong(layers: readonly LayerCosines[], of: Of): Pair[] {
  return layers.flatMap(({ directions, cosines }) =>
    directions.flatMap((one, row) =>
      directions.flatMap((other, column): Pair[] => {
        const taken = row < column && whatOf(one) === of && whatOf(other) === of && one.trait !== other.trait
        return taken ? [{ one, other, cosine: cosines[row]?.[column] as number }] : []
      }),
    ),
  )
}

/** Each organism with directions of another sort, at each layer. */
export function pairsWith(layers: readonly LayerCosines[], of: Of): Pair[] {
  return layers.flatMap(({ directions, cosines }) =>
    directions.flatMap((one, row) =>
      directions.flatMap((other, column): Pair[] =>
        whatOf(one) === 'organism' && whatOf(other) === of ? [{ one, other, cosine: cosines[row]?.[column] as number }] : [],
      ),
    ),
  )
}
