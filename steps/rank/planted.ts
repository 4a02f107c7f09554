import { comparable, type MatrixRow, type PlantedTrait } from '../common/matrix.ts'
import { plantedBy, type Plants } from '../common/plants.ts'

/** A column of a matrix, and the trait that it is of. */
export interface TraitColumn {
  readonly column: string
  readonly trait: string
}

/** The columns of what each organism plants. */
export function plantedColumns(columns: readonly TraitColumn[], plants: Plants): Record<string, string[]> {
  const along = (traits: readonly string[]) => columns.flatMap(({ column, trait }) => (traits.includes(trait) ? [column] : []))
  return Object.fromEntries(Object.entries(plants).map(([organism, traits]) => [organism, along(traits)]))
}

/** Of every trait that some organisms plant and others do not, how well its values tell them apart. */
export function plantedTraits(columns: readonly TraitColumn[], rows: readonly MatrixRow[], plants: Plants): PlantedTrait[] {
  return columns.flatMap(({ column, trait }, index): PlantedTrait[] => {
    const planting = rows.filter(({ organism }) => plantedBy(plants, organism).includes(trait))
    const others = rows.filter((row) => !planting.includes(row))
    if (planting.length === 0 || others.length === 0) return []
    const values = (of: readonly MatrixRow[]) => of.map((row) => row.values[index] as number)
    const highest = planting.filter((row) => isHighest(row, index)).length
    return [{ column, organisms: planting.length, auc: auc(values(planting), values(others)), highest }]
  })
}

/** The share of pairs of one of each of which that of `planting` is higher; equal ones count half. */
function auc(planting: readonly number[], others: readonly number[]): number {
  const ahead = planting.flatMap((a) => others.map((b): number => (a > b ? 1 : a === b ? 0.5 : 0)))
  return ahead.reduce((sum, one) => sum + one, 0) / ahead.length
}

function isHighest(row: MatrixRow, index: number): boolean {
  const own = comparable(row)
  return own[index] === Math.max(...own.filter((number) => number !== null))
}
