import { existsSync, readdirSync, statSync } from 'node:fs'
import path from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import type { Digest } from '../../core/digest.ts'
import type { ShownFolder, UnitFacts } from './garbage.ts'
import { fileOfName, type StoreLayout } from '../files/layout.ts'
import { readManifest } from '../files/manifest-file.ts'
import { toHex } from '../index/blob.ts'
import type { Store } from '../store.ts'
import { viewMarker } from '../view.ts'

/** A file of the store that garbage collection may remove. */
export interface StoreFile {
  readonly path: string
  readonly bytes: number
  /** Milliseconds. */
  readonly age: number
}

/** A unit with the file of its manifest. */
export interface SurveyedUnit extends UnitFacts {
  readonly manifest: string
}

export function surveyUnits({ db, layout }: Store, now: number): SurveyedUnit[] {
  const objects = lists<Digest>(db, 'SELECT unit AS at, object AS value FROM unit_objects', (value) => toHex(value as Uint8Array))
  const inputs = lists<number>(
    db,
    'SELECT DISTINCT uses.unit AS at, cells.unit AS value FROM uses JOIN cells ON cells.key = uses.input',
    (value) => value as number,
  )
  const cells = new Map<number, number>()
  for (const row of db.prepare('SELECT unit, count(*) AS count FROM cells GROUP BY unit').all() as { unit: number; count: number }[])
    cells.set(row.unit, row.count)
  const rows = db.prepare('SELECT id, manifest, run, workflow, operation, created FROM units ORDER BY id').all() as unknown as (Pick<
    SurveyedUnit,
    'id' | 'manifest' | 'run' | 'workflow' | 'operation'
  > & { created: number })[]
  return rows.map(({ created, ...row }) => ({
    ...row,
    age: now - (statSync(path.join(layout.manifests, row.manifest), { throwIfNoEntry: false })?.mtimeMs ?? created),
    cells: cells.get(row.id) ?? 0,
    objects: objects.get(row.id) ?? [],
    inputs: inputs.get(row.id) ?? [],
  }))
}

function lists<T>(db: DatabaseSync, sql: string, of: (value: unknown) => T): Map<number, T[]> {
  const found = new Map<number, T[]>()
  for (const row of db.prepare(sql).iterate() as Iterable<{ at: number; value: unknown }>) {
    const list = found.get(row.at)
    if (list) list.push(of(row.value))
    else found.set(row.at, [of(row.value)])
  }
  return found
}

/** Results that are there to be looked at, by the folder that carries our marker. */
export function surveyViews({ db, layout }: Pick<Store, 'db' | 'layout'>): ShownFolder[] {
  const rows = db.prepare('SELECT DISTINCT path, unit FROM views JOIN cells ON cells.digest = unhex(views.digest)').all() as {
    path: string
    unit: number
  }[]
  const folders = new Map<string, number[]>()
  for (const { path: name, unit } of rows) {
    const file = fileOfName(layout, name)
    if (!existsSync(file)) continue
    const folder = markedFolder(file)
    folders.set(folder, [...(folders.get(folder) ?? []), unit])
  }
  return [...folders].map(([folder, units]) => ({ folder, units: [...new Set(units)] }))
}

function markedFolder(file: string): string {
  let at = path.dirname(file)
  while (!existsSync(path.join(at, viewMarker)) && at !== path.dirname(at)) at = path.dirname(at)
  return at
}

/** Manifests that the index does not know: of a commit or a collection that was cut off. */
export function strayManifests(
  layout: StoreLayout,
  units: readonly SurveyedUnit[],
  now: number,
): (StoreFile & { objects: readonly Digest[] })[] {
  const known = new Set(units.map(({ manifest }) => manifest))
  return readdirSync(layout.manifests).flatMap((name) => {
    if (known.has(name)) return []
    const state = readManifest(layout, name)
    const objects = 'manifest' in state ? state.manifest.objects.map(({ digest }) => digest) : []
    return fileFacts(path.join(layout.manifests, name), now).map((file) => ({ ...file, objects }))
  })
}

/** Objects that are neither in `wanted` nor counted on otherwise. */
export function strayObjects(layout: StoreLayout, wanted: ReadonlySet<Digest>, now: number): StoreFile[] {
  return readdirSync(layout.objects).flatMap((folder) =>
    readdirSync(path.join(layout.objects, folder)).flatMap((name) =>
      wanted.has(name) ? [] : fileFacts(path.join(layout.objects, folder, name), now),
    ),
  )
}

/** Files in quarantine, with their age there: the end of the name is the time at which they came. */
export function quarantined(layout: StoreLayout, now: number): StoreFile[] {
  return readdirSync(layout.quarantine).flatMap((name) =>
    fileFacts(path.join(layout.quarantine, name), now).map((file) => {
      const since = Number(/\.(\d{13})$/.exec(name)?.[1])
      return since ? { ...file, age: now - since } : file
    }),
  )
}

/** What lies in a folder, each entry with all that is in it; its age is that of its youngest file. */
export function entriesOf(folder: string, now: number): StoreFile[] {
  return readdirSync(folder).flatMap((name) => treeFacts(path.join(folder, name), now))
}

function treeFacts(entry: string, now: number): StoreFile[] {
  const [own] = fileFacts(entry, now)
  if (!own) return []
  if (!statSync(entry, { throwIfNoEntry: false })?.isDirectory()) return [own]
  const inner = readdirSync(entry).flatMap((name) => treeFacts(path.join(entry, name), now))
  const bytes = inner.reduce((sum, file) => sum + file.bytes, 0)
  return [{ path: entry, bytes, age: Math.min(own.age, ...inner.map(({ age }) => age)) }]
}

/** A file, or nothing when it is not there. */
export function fileFacts(file: string, now: number): StoreFile[] {
  const stat = statSync(file, { throwIfNoEntry: false })
  return stat ? [{ path: file, bytes: stat.isFile() ? stat.size : 0, age: now - stat.mtimeMs }] : []
}
