import type { DatabaseSync } from 'node:sqlite'
import type { Digest } from '../../core/digest.ts'
import { toBlob } from '../index/blob.ts'

/** Something in the store that is not as it was written. */
export interface Damage {
  readonly what: 'object' | 'manifest' | 'index' | 'view'
  /** Digest of an object, name of a manifest, path of a view, `index.db` or a unit of it. */
  readonly name: string
  readonly detail: string
  readonly affected: readonly AffectedTask[]
}

/** A damage with the way to look again, and to put it right. */
export interface Finding extends Damage {
  stillThere(): boolean | Promise<boolean>
  mend(): Mended
}

/** What was done about a damage: kept aside and to be made again, written anew from the rest, or no longer counted on. */
export type Mended = 'quarantined' | 'rewritten' | 'rebuilt' | 'forgotten'

export interface MendedDamage extends Damage {
  /** Null when it was only reported. */
  readonly mended: Mended | null
}

/** Cells of one task that a damaged file holds. */
export interface AffectedTask {
  readonly workflow: string
  readonly task: string
  readonly run: string
  readonly cells: readonly string[]
}

/** Which cells lie in an object. */
export function cellsIn(db: DatabaseSync, object: Digest): AffectedTask[] {
  return affected(db, "cells.unit IN (SELECT unit FROM unit_objects WHERE object = ?) AND slot ->> '$.object' = ?", toBlob(object), object)
}

/** Which cells a unit holds. */
export function cellsOf(db: DatabaseSync, unit: number): AffectedTask[] {
  return affected(db, 'cells.unit = ?', unit)
}

function affected(db: DatabaseSync, where: string, ...values: (string | number | Uint8Array)[]): AffectedTask[] {
  const rows = db
    .prepare(
      `SELECT workflow, task, run, json_group_array(cell) AS cells FROM
       (SELECT unit, cell FROM cells WHERE ${where} ORDER BY unit, cell) JOIN units ON units.id = unit GROUP BY unit ORDER BY task, unit`,
    )
    .all(...values) as { workflow: string; task: string; run: string; cells: string }[]
  return rows.map(({ cells, ...row }) => ({ ...row, cells: JSON.parse(cells) as string[] }))
}
