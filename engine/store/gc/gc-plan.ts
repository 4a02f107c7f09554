import path from 'node:path'
import type { Digest } from '../../core/digest.ts'
import { findGarbage, reasonToKeep, type Root } from './garbage.ts'
import { objectPath } from '../files/layout.ts'
import { forgotten, type KeptRecord, readRunRecords } from '../runs/run-record.ts'
import type { Store } from '../store.ts'
import {
  entriesOf,
  fileFacts,
  quarantined,
  type StoreFile,
  strayManifests,
  strayObjects,
  type SurveyedUnit,
  surveyUnits,
  surveyViews,
} from './survey.ts'

export interface GcOptions {
  /** Milliseconds: nothing younger goes. */
  readonly grace: number
  /** Workflow files, relative to the store, whose runs no longer count. */
  readonly forget: readonly string[]
  readonly now: number
}

export interface GcReport {
  readonly store: string
  readonly done: boolean
  readonly grace: number
  readonly go: {
    readonly units: number
    readonly cells: number
    readonly objects: number
    readonly bytes: number
    readonly byOperation: readonly OperationGarbage[]
    /** Files that no unit of the index counts on, by what they are. */
    readonly leftovers: Readonly<Record<'objects' | 'manifests' | 'staging' | 'quarantine' | 'runs', Leftovers>>
  }
  readonly stay: { readonly units: number; readonly objects: number; readonly bytes: number; readonly roots: readonly KeptRoot[] }
  /** Who holds the store now; a collection would have to wait. */
  readonly heldBy: string | null
}

export interface OperationGarbage {
  readonly operation: string
  readonly units: number
  readonly cells: number
  readonly bytes: number
}

export interface Leftovers {
  readonly files: number
  readonly bytes: number
}

export interface KeptRoot extends Omit<Root, 'units'> {
  readonly units: number
  readonly bytes: number
  /** Bytes that nothing else keeps. */
  readonly alone: number
}

/** Everything that would go, with what the report says of it. */
export interface GcPlan {
  readonly units: readonly SurveyedUnit[]
  readonly objects: readonly Digest[]
  /** Those of the objects whose files are old enough to go with them. */
  readonly files: readonly Digest[]
  readonly leftovers: Readonly<Record<keyof GcReport['go']['leftovers'], readonly StoreFile[]>>
  readonly records: readonly KeptRecord[]
  readonly report: GcReport
}

/** Decides what goes and what stays, and why. Changes nothing. */
export function makePlan(store: Store, { grace, forget, now }: GcOptions, heldBy: string | null): GcPlan {
  const { layout } = store
  const units = surveyUnits(store, now)
  const records = readRunRecords(layout)
  const standing = records.map((record) => (forget.includes(record.file) ? forgotten(record) : record))
  const { kept, garbage } = findGarbage({ units, records: standing, shown: surveyViews(store), grace })
  const dead = new Set(garbage.map(({ id }) => id))
  const going = units.filter(({ id }) => dead.has(id))
  const staying = units.filter(({ id }) => !dead.has(id))

  const old = ({ age }: StoreFile) => age >= grace
  const strays = strayManifests(layout, units, now)
  const counted = new Set(staying.flatMap((unit) => unit.objects))
  const wanted = new Set([...counted, ...strays.filter((manifest) => !old(manifest)).flatMap((manifest) => manifest.objects)])
  const objects = [...new Set(going.flatMap((unit) => unit.objects))].filter((object) => !wanted.has(object))
  const keptRuns = new Set([
    ...staying.map(({ run }) => run),
    ...standing.filter((each) => reasonToKeep(each, standing)).map(({ run }) => run),
  ])
  const leftovers = {
    objects: strayObjects(layout, new Set([...wanted, ...objects]), now).filter(old),
    manifests: strays.filter(old),
    staging: heldBy === null ? entriesOf(layout.staging, now) : [],
    quarantine: quarantined(layout, now).filter(old),
    runs: entriesOf(layout.runs, now).filter((folder) => old(folder) && !keptRuns.has(path.basename(folder.path))),
  }
  const sizes = objectSizes(store)
  const sizeOf = (digests: Iterable<Digest>) => [...new Set(digests)].reduce((sum, digest) => sum + (sizes.get(digest) ?? 0), 0)
  const report: GcReport = {
    store: layout.root,
    done: false,
    grace,
    go: {
      units: going.length,
      cells: going.reduce((sum, { cells }) => sum + cells, 0),
      objects: objects.length,
      bytes: sizeOf(objects),
      byOperation: byOperation(going, new Set(objects), sizeOf),
      leftovers: mapValues(leftovers, (files) => ({ files: files.length, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0) })),
    },
    stay: { units: staying.length, objects: wanted.size, bytes: sizeOf(wanted), roots: keptRoots(kept, staying, sizeOf) },
    heldBy,
  }
  const oldEnough = objects.filter((object) => fileFacts(objectPath(layout, object), now).every(old))
  return { units: going, objects, files: oldEnough, leftovers, records, report }
}

function byOperation(
  going: readonly SurveyedUnit[],
  objects: ReadonlySet<Digest>,
  sizeOf: (digests: Iterable<Digest>) => number,
): OperationGarbage[] {
  return [...Map.groupBy(going, ({ operation }) => operation)]
    .map(([operation, units]) => ({
      operation,
      units: units.length,
      cells: units.reduce((sum, { cells }) => sum + cells, 0),
      bytes: sizeOf(units.flatMap((unit) => unit.objects.filter((object) => objects.has(object)))),
    }))
    .sort((a, b) => b.bytes - a.bytes)
}

function keptRoots(kept: readonly Root[], staying: readonly SurveyedUnit[], sizeOf: (digests: Iterable<Digest>) => number): KeptRoot[] {
  const objectsOf = new Map(staying.map(({ id, objects }) => [id, objects]))
  const held = kept.map(({ units }) => new Set([...units].flatMap((id) => objectsOf.get(id) ?? [])))
  const keepers = new Map<Digest, number>()
  for (const objects of held) for (const object of objects) keepers.set(object, (keepers.get(object) ?? 0) + 1)
  return kept.map(({ kind, name, run, units }, index) => {
    const objects = [...(held[index] as Set<Digest>)]
    const alone = objects.filter((object) => keepers.get(object) === 1)
    return { kind, name, run, units: units.size, bytes: sizeOf(objects), alone: sizeOf(alone) }
  })
}

function objectSizes({ db }: Store): Map<Digest, number> {
  const rows = db.prepare('SELECT lower(hex(digest)) AS digest, bytes FROM objects').all() as { digest: Digest; bytes: number }[]
  return new Map(rows.map(({ digest, bytes }) => [digest, bytes]))
}

function mapValues<K extends string, A, B>(record: Readonly<Record<K, A>>, of: (value: A) => B): Record<K, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, of(value as A)])) as Record<K, B>
}
