import type { Digest } from '../../core/digest.ts'
import { reasonToKeep } from './garbage.ts'
import type { StoreLayout } from '../files/layout.ts'
import { readRunRecords } from '../runs/run-record.ts'

/** Objects that the runs of other workflow files, and pinned runs, stand on. `file` is relative to the store. */
export function heldElsewhere(layout: StoreLayout, file: string): ReadonlySet<Digest> {
  const records = readRunRecords(layout)
  const holding = records.filter((record) => record.pinned || (record.file !== file && reasonToKeep(record, records) !== null))
  return new Set(holding.flatMap(({ objects }) => objects))
}
