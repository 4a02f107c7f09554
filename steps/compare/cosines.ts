import { apartMethod, fewestSharing, type Of, type VectorName, whatOf as whatOfVector } from '../common/vectors.ts'

type Numbers = Float32Array | Float64Array

/** A vector, `[hidden]`; that of an organism says which. */
export interface Direction extends VectorName {
  readonly numbers: Numbers
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
  return [...byLayer].sort(([a], [b]) => a - b).map(([layer, own]) => cosinesOf(layer, [...own, ...apart(own)]))
}

function cosinesOf(layer: number, directions: readonly Direction[]): LayerCosines {
  const units = directions.map(({ numbers }) => unit(numbers))
  return { layer, directions, cosines: units.map((one) => units.map((other) => product(one, other))) }
}

/**
 * What of each organism's shift is its own: its direction minus the mean of all, since training moves every adapter alike to
 * some degree.
 */
function apart(directions: readonly Direction[]): Direction[] {
  const shifts = directions.filter((direction) => whatOf(direction) === 'organism')
  if (shifts.length < fewestSharing) return []
  const units = shifts.map(({ numbers }) => unit(numbers))
  const mean = (index: number) => units.reduce((sum, one) => sum + (one[index] as number), 0) / units.length
  const shared = Float64Array.from({ length: units[0]?.length ?? 0 }, (_, index) => mean(index))
  return shifts.map((shift, at) => ({
    ...shift,
    method: apartMethod,
    numbers: (units[at] as Float64Array).map((number, index) => number - (shared[index] as number)),
  }))
}

function unit(numbers: Numbers): Float64Array {
  const length = Math.sqrt(product(numbers, numbers))
  return Float64Array.from(numbers, (number) => number / length)
}

function product(one: Numbers, other: Numbers): number {
  let sum = 0
  for (let index = 0; index < one.length; index++) sum += (one[index] as number) * (other[index] as number)
  return sum
}

export function whatOf(direction: Direction): Of {
  return whatOfVector(direction, direction.organism !== undefined)
}

/** Pairs of two of the same sort at a layer, each once. */
export function pairsAmong(layers: readonly LayerCosines[], of: Of): Pair[] {
  return pairs(layers, ({ one, other }) => whatOf(one) === of && whatOf(other) === of && one.trait !== other.trait).filter(
    ({ row, column }) => row < column,
  )
}

/** Each direction of a sort with those of another, at each layer. */
export function pairsBetween(layers: readonly LayerCosines[], of: Of, others: Of): Pair[] {
  return pairs(layers, ({ one, other }) => whatOf(one) === of && whatOf(other) === others)
}

function pairs(layers: readonly LayerCosines[], isWanted: (pair: Pick<Pair, 'one' | 'other'>) => boolean) {
  return layers.flatMap(({ directions, cosines }) =>
    directions.flatMap((one, row) =>
      directions.flatMap((other, column) =>
        isWanted({ one, other }) ? [{ one, other, row, column, cosine: cosines[row]?.[column] as number }] : [],
      ),
    ),
  )
}
