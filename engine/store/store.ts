import { mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import path from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import type { Digest } from '../core/digest.ts'
import type { Maker } from '../core/maker.ts'
import type { CellOutput, Components, Facts, Slot, StoredOutput } from '../core/step-kind.ts'
import { toBlob, toHex } from './index/blob.ts'
import { commitBatch } from './files/commit.ts'
import type { StagedFile } from './files/durable.ts'
import { type Evicted, evictedObjects } from './files/evicted.ts'
import { openIndex } from './index/index-db.ts'
import { makeFolders, objectPath, type StoreLayout, storeLayout } from './files/layout.ts'
import { followMoved, insertManifest } from './index/manifest-rows.ts'
import type { Manifest } from './files/manifest.ts'
import { isEmpty, type RebuildProgress, rebuildIndex } from './index/rebuild-index.ts'
import { storedJson } from './index/stored-json.ts'
import { inTransaction } from './index/transaction.ts'

/** A stored cell as the index knows it. */
export interface IndexedCell extends Omit<CellOutput, 'task'> {
  readonly unit: number
  readonly own: Components
  readonly inputs: readonly Digest[]
}

/** A committed batch as the index knows it. */
export interface Unit {
  readonly id: number
  readonly run: string
  readonly workflow: string
  readonly task: string
  readonly operation: string
  readonly shared: Components
  readonly created: number
  readonly maker: Maker | null
}

/** The store: objects by content, manifests, and the index over them. One engine writes at a time (see lock.ts). */
export interface Store {
  readonly layout: StoreLayout
  readonly db: DatabaseSync
  /** The stored cell of this key, when its object is there in full length. */
  find(key: Digest): IndexedCell | null
  /** What planning asks of a cell; tells apart one never made, one whose object is gone, and one whose object was given up. */
  look(key: Digest): StoredOutput | 'lost' | null
  /**
   * Reads at once what the latest batches of a task hold, so that {@link look} need not search for each: the cells of
   * a batch lie together. `most`: about how many cells to read.
   */
  lookAhead(task: string, most: number): void
  unit(id: number): Unit
  /** Returns whether cells of it were stored before: they lie in this batch from now on. */
  commit(manifest: Manifest, staging: string, files: readonly StagedFile[]): boolean
  /** Whether an object is there in full length. */
  has(object: Digest): boolean
  /** Takes a damaged or lost object out of use: its cells count as lost until they are made again. Returns how many. */
  quarantine(object: Digest): number
  readonly evicted: Evicted
  /** Gives up objects on purpose: their cells stay known. Returns how many bytes that freed. */
  evict(objects: readonly Digest[]): number
  /** Runs statements in one transaction. */
  transaction(work: () => void): void
  close(): void
}

/** So few cells are found by their keys as fast as with all of their task. */
const fewCells = 16

/** `onRebuild` is told how far it is where the index is lost and made again. */
export function openStore(root: string, onRebuild?: (progress: RebuildProgress) => void): Store {
  const layout = storeLayout(root)
  makeFolders(layout)
  const db = openIndex(layout.index)
  const evicted = evictedObjects(layout)
  if (isEmpty(db)) rebuildIndex(db, layout, evicted, onRebuild)

  const findCell = db.prepare('SELECT digest, unit, cell, slot, own, inputs, facts FROM cells WHERE key = ?')
  const findOutput = db.prepare(`SELECT ${outputColumns} FROM cells WHERE key = ?`)
  findOutput.setReturnArrays(true)
  const findUnits = db.prepare('SELECT id FROM units WHERE task = ? ORDER BY id DESC')
  const findOutputs = db.prepare(`SELECT ${outputColumns} FROM cells WHERE unit = ?`)
  findOutputs.setReturnArrays(true)
  const ahead = new Map<Digest, OutputRow>()
  /** Facts of cells by their text, since many are alike. */
  const alike = new Map<string, Facts>()
  const findUnit = db.prepare('SELECT id, run, workflow, task, operation, shared, created, maker FROM units WHERE id = ?')
  const findObject = db.prepare('SELECT bytes FROM objects WHERE digest = ?')
  const present = new Map<Digest, boolean>()

  const has = (object: Digest): boolean => {
    let there = present.get(object)
    if (there === undefined) {
      const row = findObject.get(toBlob(object)) as { bytes: number } | undefined
      there = row !== undefined && sizeOf(objectPath(layout, object)) === row.bytes
      present.set(object, there)
    }
    return there
  }
  const factsOf = (text: string): Facts => {
    let facts = alike.get(text)
    if (!facts) alike.set(text, (facts = storedJson(text) as Facts))
    return facts
  }
  const look = (key: Digest): StoredOutput | 'lost' | null => {
    const row = ahead.get(key) ?? (findOutput.get(toBlob(key)) as unknown as OutputRow | undefined)
    if (!row) return null
    const slot = storedJson(row[2]) as Slot
    const output = { digest: row[1], slot, facts: factsOf(row[3]) }
    if (has(slot.object)) return output
    return evicted.has(slot.object) ? { ...output, evicted: true } : 'lost'
  }
  const lookAhead = (task: string, most: number): void => {
    ahead.clear()
    alike.clear()
    if (most <= fewCells) return
    for (const { id } of findUnits.all(task) as unknown as { id: number }[]) {
      for (const row of findOutputs.all(id) as unknown as OutputRow[]) ahead.set(row[0], row)
      if (ahead.size >= most) return
    }
  }
  const transaction = (work: () => void): void => inTransaction(db, work)

  return {
    layout,
    db,
    has,
    look,
    lookAhead,
    transaction,
    evicted,
    find(key) {
      const row = findCell.get(toBlob(key)) as CellRow | undefined
      const slot = row && (storedJson(row.slot) as Slot)
      return slot && has(slot.object) ? indexedCell(key, row, slot) : null
    },
    unit(id) {
      const row = findUnit.get(id) as (Omit<Unit, 'shared' | 'maker'> & { shared: string; maker: string | null }) | undefined
      if (!row) throw new Error(`the index has no unit ${id}`)
      return { ...row, shared: storedJson(row.shared) as Components, maker: row.maker === null ? null : (storedJson(row.maker) as Maker) }
    },
    commit(manifest, staging, files) {
      let moved = false
      const index = (name: string) => {
        moved = followMoved(db, manifest)
        insertManifest(db, name, manifest)
      }
      commitBatch(layout, { manifest, folder: staging, files }, (name) => transaction(() => index(name)))
      for (const file of files) present.delete(file.digest)
      ahead.clear()
      return moved
    },
    quarantine(object) {
      present.delete(object)
      const from = objectPath(layout, object)
      if (sizeOf(from) !== null) renameSync(from, path.join(layout.quarantine, `${object}.${Date.now()}`))
      const blob = toBlob(object)
      transaction(() => {
        db.prepare('DELETE FROM objects WHERE digest = ?').run(blob)
        db.exec('DELETE FROM done')
      })
      const held = db.prepare(
        "SELECT count(*) AS count FROM cells WHERE unit IN (SELECT unit FROM unit_objects WHERE object = ?) AND slot ->> '$.object' = ?",
      )
      return (held.get(blob, object) as { count: number }).count
    },
    evict(objects) {
      // By the file: one that was killed here before may have left it behind.
      const sizes = new Map(objects.map((object) => [object, sizeOf(objectPath(layout, object))]))
      const there = objects.filter((object) => sizes.get(object) !== null)
      if (there.length === 0) return 0
      evicted.mark(there)
      const forget = db.prepare('DELETE FROM objects WHERE digest = ?')
      transaction(() => {
        for (const object of there) forget.run(toBlob(object))
      })
      for (const object of there) {
        rmSync(objectPath(layout, object), { force: true })
        present.delete(object)
      }
      return there.reduce((sum, object) => sum + Number(sizes.get(object)), 0)
    },
    close() {
      db.close()
    },
  }
}

interface CellRow {
  readonly digest: Uint8Array
  readonly unit: number
  readonly cell: string
  readonly slot: string
  readonly own: string
  readonly inputs: string
  readonly facts: string
}

const outputColumns = 'lower(hex(key)), lower(hex(digest)), slot, facts'

type OutputRow = readonly [key: Digest, digest: Digest, slot: string, facts: string]

function indexedCell(key: Digest, row: CellRow, slot: Slot): IndexedCell {
  return {
    key,
    slot,
    cell: row.cell,
    unit: row.unit,
    digest: toHex(row.digest),
    own: storedJson(row.own) as Components,
    inputs: storedJson(row.inputs) as Digest[],
    facts: storedJson(row.facts) as Facts,
  }
}

/** Makes an empty staging folder for one attempt. */
export function stagingFolder(store: Store, run: string, name: string): string {
  const folder = path.join(store.layout.staging, run, name)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  return folder
}

/** Removes what former runs left in staging; only the holder of the lock may call it. */
export function clearStaging(store: Store): void {
  for (const name of readdirSync(store.layout.staging)) {
    rmSync(path.join(store.layout.staging, name), { recursive: true, force: true })
  }
}

function sizeOf(file: string): number | null {
  return statSync(file, { throwIfNoEntry: false })?.size ?? null
}
