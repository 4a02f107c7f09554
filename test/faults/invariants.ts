import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { zstdDecompressSync } from 'node:zlib'
import { DatabaseSync } from 'node:sqlite'
import { digestOfBytes } from '../../engine/core/digest.ts'
import type { RunEvent } from '../../engine/core/events.ts'
import { objectPath, type StoreLayout, storeLayout } from '../../engine/store/files/layout.ts'
import type { Manifest, ManifestCell } from '../../engine/store/files/manifest.ts'
import { filesBelow } from '../support/files.ts'

/** What a finished run leaves: everything that an undisturbed run and a disturbed one must agree on. */
export interface Outcome {
  /** Digest of every cell by key. */
  readonly cells: ReadonlyMap<string, string>
  /** How many cells each task has. */
  readonly tasks: ReadonlyMap<string, number>
  /** Digests of the manifests without the run and the time of it. */
  readonly manifests: ReadonlySet<string>
  /** What they say of each cell, whatever batch it was made in. */
  readonly made: ReadonlySet<string>
  /** Digest of every shown file by its path in `experiments/`. */
  readonly shown: ReadonlyMap<string, string>
}

export function outcomeOf(folder: string): Outcome {
  const layout = storeLayout(path.join(folder, 'cache'))
  const { cells } = readIndex(layout)
  const contents = manifestsOf(layout).flatMap(({ manifest }) => {
    if (!manifest) return []
    const { run: _run, created: _created, ...rest } = manifest
    return [rest]
  })
  const setOf = (values: readonly unknown[]) => new Set(values.map((value) => digestOfBytes(JSON.stringify(value))).sort())
  return {
    cells: new Map(cells.map(({ key, digest }) => [key, digest])),
    tasks: countOf(cells),
    manifests: setOf(contents),
    made: setOf(contents.flatMap(({ cells: of, objects: _objects, ...batch }) => of.map((cell) => ({ ...batch, cell })))),
    shown: shownIn(folder),
  }
}

/**
 * Every invariant that a workspace breaks in which no engine runs: results that are marked done or were reported done
 * are there and hash right, no final name holds a part of a file, the index is whole. Looks at a copy of the index,
 * so that the next engine finds it as the fault left it.
 */
export function violations(folder: string, reference: Outcome, reported: readonly RunEvent[] = []): string[] {
  const layout = storeLayout(path.join(folder, 'cache'))
  const index = readIndex(layout)
  const broken = index.damage.map((line) => `I3 the index: ${line}`)
  const manifests = new Map(manifestsOf(layout).map(({ name, manifest }) => [name, manifest]))
  for (const [name, manifest] of manifests) if (!manifest) broken.push(`I2 manifest ${name} does not hold what its name says`)
  for (const name of filesBelow(layout.objects)) {
    if (digestOfBytes(readFileSync(path.join(layout.objects, name))) !== path.basename(name))
      broken.push(`I2 object ${name} does not hold what its name says`)
  }
  for (const unit of index.units) if (!manifests.has(unit.manifest)) broken.push(`I1 unit ${unit.task} has no manifest`)
  for (const { digest, bytes } of index.objects) {
    if (sizeOf(objectPath(layout, digest)) !== bytes) broken.push(`I1 object ${digest} of the index is not there`)
  }
  for (const cell of index.cells) broken.push(...cellDamage(layout, cell))
  for (const object of index.done) {
    if (sizeOf(objectPath(layout, object)) === null) broken.push(`I1 object ${object} of a finished task is not there`)
  }
  const shown = shownIn(folder)
  for (const [file, digest] of shown) {
    if (reference.shown.get(file) !== digest) broken.push(`I2 the shown file ${file} is not the result`)
  }
  return [...broken, ...lostReports(index, shown, reference, reported)]
}

export const outcomeParts = ['cells', 'manifests', 'made', 'shown'] as const
export type OutcomePart = (typeof outcomeParts)[number]

/** What an outcome has otherwise than the reference: I4. */
export function differences(outcome: Outcome, reference: Outcome, parts: readonly OutcomePart[] = outcomeParts): string[] {
  return parts.flatMap((part) => (JSON.stringify([...outcome[part]]) === JSON.stringify([...reference[part]]) ? [] : [`I4 other ${part}`]))
}

/** What a run that ended well leaves behind beside its results. */
export function leftovers(folder: string): string[] {
  const layout = storeLayout(path.join(folder, 'cache'))
  const wanted = new Set(manifestsOf(layout).flatMap(({ manifest }) => manifest?.objects.map(({ digest }) => digest) ?? []))
  return [
    ...readdirSync(layout.staging).map((name) => `I6 staging/${name}`),
    ...filesBelow(layout.objects).flatMap((name) => (wanted.has(path.basename(name)) ? [] : [`I6 objects/${name} belongs to no manifest`])),
    ...unfinishedIn(folder).map((name) => `I6 experiments/${name}`),
  ]
}

function lostReports(index: Index, shown: ReadonlyMap<string, string>, reference: Outcome, reported: readonly RunEvent[]): string[] {
  const stored = countOf(index.cells)
  const told = countOf(reported.flatMap((event) => (event.type === 'batch-finished' ? [event] : [])))
  const lost = [...told].flatMap(([task, cells]) => {
    // Cells that were lost and made again are reported twice.
    const wanted = Math.min(cells, reference.tasks.get(task) ?? 0)
    const there = stored.get(task) ?? 0
    return there < wanted ? [`I5 ${task} reported ${wanted} cells as done, ${there} are there`] : []
  })
  if (!reported.some((event) => event.type === 'run-finished' && event.outcome === 'done')) return lost
  const unseen = [...reference.shown.keys()].filter((file) => !shown.has(file))
  return [...lost, ...unseen.map((file) => `I5 the run reported its end, ${file} is not shown`)]
}

function countOf(entries: readonly { readonly task: string; readonly cells?: number }[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { task, cells = 1 } of entries) counts.set(task, (counts.get(task) ?? 0) + cells)
  return counts
}

interface Index {
  readonly damage: readonly string[]
  readonly units: readonly { readonly manifest: string; readonly task: string }[]
  readonly objects: readonly { readonly digest: string; readonly bytes: number }[]
  readonly cells: readonly (Pick<ManifestCell, 'key' | 'digest' | 'slot'> & { readonly task: string })[]
  readonly done: readonly string[]
}

function readIndex(layout: StoreLayout): Index {
  const nothing: Index = { damage: [], units: [], objects: [], cells: [], done: [] }
  if (!existsSync(layout.index)) return nothing
  const folder = mkdtempSync(path.join(tmpdir(), 'dag-index-'))
  try {
    const copy = path.join(folder, 'index.db')
    for (const suffix of ['', '-wal']) if (existsSync(layout.index + suffix)) copyFileSync(layout.index + suffix, copy + suffix)
    const db = new DatabaseSync(copy)
    try {
      const rows = <Row>(sql: string) => db.prepare(sql).all() as Row[]
      const damage = rows<{ integrity_check: string }>('PRAGMA integrity_check')
        .map((row) => row.integrity_check)
        .filter((line) => line !== 'ok')
      if (rows("SELECT 1 FROM sqlite_schema WHERE name = 'cells'").length === 0) return { ...nothing, damage }
      return {
        damage,
        units: rows('SELECT manifest, task FROM units'),
        objects: rows('SELECT lower(hex(digest)) AS digest, bytes FROM objects'),
        cells: rows<{ key: string; digest: string; slot: string; task: string }>(
          'SELECT lower(hex(key)) AS key, lower(hex(digest)) AS digest, slot, task FROM cells JOIN units ON units.id = unit ORDER BY key',
        ).map((row) => ({ ...row, slot: JSON.parse(row.slot) as ManifestCell['slot'] })),
        done: rows<{ value: string }>('SELECT DISTINCT value FROM done, json_each(done.objects)').map((row) => row.value),
      }
    } finally {
      db.close()
    }
  } catch (error) {
    return { ...nothing, damage: [(error as Error).message] }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Scores are ranges of decoded columns; their objects are checked as a whole. */
function cellDamage(layout: StoreLayout, { task, digest, slot }: Index['cells'][number]): string[] {
  if (slot.format === 'parquet') return []
  try {
    const bytes = readFileSync(objectPath(layout, slot.object))
    const own = slot.format === 'file' ? bytes : bytes.subarray(slot.offset, slot.offset + slot.length)
    return digestOfBytes(own) === digest ? [] : [`I1 a cell of ${task} does not hash right`]
  } catch {
    return [`I1 a cell of ${task} has no object`]
  }
}

/** Every manifest there is; null for one whose name does not tell its bytes. */
function manifestsOf(layout: StoreLayout): { name: string; manifest: Manifest | null }[] {
  return filesBelow(layout.manifests).map((name) => {
    const bytes = readFileSync(path.join(layout.manifests, name))
    const whole = name === `${digestOfBytes(bytes)}.json.zst`
    return { name, manifest: whole ? (JSON.parse(zstdDecompressSync(bytes).toString()) as Manifest) : null }
  })
}

const temporary = /\.tmp\b/

function shownIn(folder: string): Map<string, string> {
  const experiments = path.join(folder, 'experiments')
  const final = filesBelow(experiments).filter((name) => !temporary.test(name) && path.basename(name) !== '.made-by-dag')
  return new Map(final.map((name) => [name, digestOfBytes(readFileSync(path.join(experiments, name)))]))
}

function unfinishedIn(folder: string): string[] {
  return filesBelow(path.join(folder, 'experiments')).filter((name) => temporary.test(name) || name.includes('.edited-'))
}

function sizeOf(file: string): number | null {
  return statSync(file, { throwIfNoEntry: false })?.size ?? null
}
