import { type Line, type Spoken, spokenOf, type VectorWords } from './line.ts'

/** A cell as it is called. */
interface Named {
  readonly task: string
  readonly cell: string
  readonly operation: string
}

/**
 * Picks among the inputs of a result, and among the inputs of those, what its line speaks of: a table of a ranking names
 * organism and prompt, which are those of the scores that it is made of, an overview organism and trait, which are those of
 * different levels. Once all that is named was found, everything below belongs to it.
 */
export interface Narrowing {
  isDone(): boolean
  pick<T extends Named>(level: readonly T[]): T[]
}

export function narrowingTo(line: Line | null): Narrowing {
  const left = new Set(line ? axesOf(spokenOf(line)) : [])
  return {
    isDone: () => left.size === 0,
    pick(level) {
      const byOperation = Map.groupBy(level, ({ operation }) => operation)
      const found = new Set<Axis>()
      const picked = [...byOperation.values()].flatMap((cells) =>
        [...left].reduce((kept, axis) => {
          const of = axis(kept)
          if (of.length > 0) found.add(axis)
          return of.length > 0 ? of : kept
        }, cells),
      )
      for (const axis of found) left.delete(axis)
      return picked
    },
  }
}

/** Those of some cells that a part of a line speaks of. */
type Axis = <T extends Named>(cells: readonly T[]) => T[]

function axesOf({ organism, promptSet, prompt, vector, steered }: Spoken): Axis[] {
  return [
    ...(organism.size > 0 ? [ofCells((cell) => organismsIn(cell).some((name) => organism.has(name)))] : []),
    ...(promptSet.size > 0 ? [ofCells((cell) => partsOf(cell).some((name) => promptSet.has(name)))] : []),
    ...(prompt.size > 0 ? [ofCells((cell) => prompt.has(nameOf(cell.cell).prompt ?? ''))] : []),
    ...(vector.length > 0 ? [ofCells((cell) => vector.some((words) => isCalled(words, nameOf(cell.cell))))] : []),
    ...(steered.length > 0 ? [steeredAlong(steered)] : []),
  ]
}

function ofCells(isOf: (cell: Named) => boolean): Axis {
  return (cells) => cells.filter(isOf)
}

/** Answers that are steered so and what was read of them, with those that are not steered, from which they differ. */
function steeredAlong(directions: readonly VectorWords[]): Axis {
  return (cells) => {
    const along = ({ cell }: Named) => steeringOf(cell).direction
    const isSo = (cell: Named) => directions.some((words) => isCalled(words, nameOf(along(cell) ?? '')))
    return cells.some(isSo) ? cells.filter((cell) => along(cell) === undefined || isSo(cell)) : []
  }
}

function partsOf({ task }: Named): string[] {
  return task.split('/').slice(1)
}

/** Methods of vectors that are called like an organism and not like a trait. */
const ofOrganisms = ['shift', 'apart']

/** What may be the organism of a cell: a part of its task's name; of a vector its own name, or nothing where it is a trait's. */
function organismsIn(cell: Named): string[] {
  const { prompt, vector, method = '' } = nameOf(cell.cell)
  if (vector === undefined || prompt !== undefined) return partsOf(cell)
  return ofOrganisms.includes(method) ? [vector] : []
}

interface CellName {
  readonly prompt?: string
  readonly vector?: string
  readonly layer?: string
  readonly method?: string
}

/** An answer that is steered, `prompt~direction~amount`, with what may follow its name: the direction, and the name without. */
function steeringOf(cell: string): { readonly direction: string | undefined; readonly rest: string } {
  const [, prompt, direction, end = ''] = /^([^~]*)~([^~]*)~-?[\d.]+(?:e[+-]\d+)?x?(.*)$/.exec(cell) ?? []
  return { direction, rest: prompt === undefined ? cell : prompt + end }
}

/** `prompt`, `prompt@layer`, `vector@layer:method`, `prompt@layer:vector:method`. */
function nameOf(cell: string): CellName {
  const { rest } = steeringOf(cell)
  const [, name, layer, vector, method] = /^(.*?)@(\d+)(?::(.*?))??(?::([^:]*))?$/.exec(rest) ?? []
  if (name === undefined) return { prompt: rest }
  if (method === undefined) return { prompt: name, layer: layer as string }
  return vector === undefined ? { vector: name, layer: layer as string, method } : { prompt: name, vector, layer: layer as string, method }
}

function isCalled({ name, layer, method }: VectorWords, cell: CellName): boolean {
  const isMethod = method === undefined ? !ofOrganisms.includes(cell.method ?? '') : method === cell.method
  return cell.vector === name && isMethod && (layer === undefined || layer === cell.layer)
}
