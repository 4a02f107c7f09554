import { rmSync } from 'node:fs'
import path from 'node:path'
import type { Digest } from '../../core/digest.ts'
import { fail, ok, type Result } from '../../core/result.ts'
import { type GcOptions, type GcPlan, type GcReport, makePlan } from './gc-plan.ts'
import { forgetEvicted } from '../files/evicted.ts'
import { objectPath } from '../files/layout.ts'
import { lockHolder, takeLock } from '../files/lock.ts'
import { unitTables } from '../mend.ts'
import { forgotten, writeRunRecord } from '../runs/run-record.ts'
import { toBlob } from '../index/blob.ts'
import type { Store } from '../store.ts'
import { storedJson } from '../index/stored-json.ts'
import { syncFolder } from '../files/sync.ts'

/** What a collection would remove and what stays, and why. Changes nothing. */
export function planGc(store: Store, options: GcOptions): GcReport {
  return makePlan(store, options, lockHolder(store.layout)?.text ?? null).report
}

/** Removes what nothing stands on. The error says who holds the store. */
export function collectGarbage(store: Store, options: GcOptions): Result<GcReport, string> {
  const lock = takeLock(store.layout, 'dag gc')
  if (!lock.ok) return fail(lock.error.text)
  try {
    const plan = makePlan(store, options, null)
    for (const record of plan.records) if (options.forget.includes(record.file)) writeRunRecord(store.layout, forgotten(record))
    forgetRows(store, plan)
    removeFiles(store, plan)
    return ok({ ...plan.report, done: true })
  } finally {
    lock.value.release()
  }
}

/** Rows first: what the index no longer names is never served, also when removing the files is cut off. */
function forgetRows(store: Store, { units, objects }: GcPlan): void {
  if (units.length === 0) return
  const { db } = store
  const touched = new Set(units.flatMap((unit) => unit.objects))
  const done = db.prepare('SELECT deep, objects FROM done').all() as { deep: Uint8Array; objects: string }[]
  store.transaction(() => {
    db.exec('CREATE TEMP TABLE garbage (id INTEGER PRIMARY KEY)')
    const mark = db.prepare('INSERT INTO garbage VALUES (?)')
    for (const { id } of units) mark.run(id)
    for (const table of unitTables) db.exec(`DELETE FROM ${table} WHERE unit IN (SELECT id FROM garbage)`)
    db.exec('DELETE FROM units WHERE id IN (SELECT id FROM garbage); DROP TABLE garbage')
    const removeObject = db.prepare('DELETE FROM objects WHERE digest = ?')
    for (const object of objects) removeObject.run(toBlob(object))
    const removeDone = db.prepare('DELETE FROM done WHERE deep = ?')
    for (const row of done) if ((storedJson(row.objects) as Digest[]).some((object) => touched.has(object))) removeDone.run(row.deep)
    db.exec('DELETE FROM standing')
  })
}

/** Manifests before objects: a manifest that is still there, and would be indexed again, finds its objects. */
function removeFiles({ layout }: Store, { units, objects: gone, files: objects, leftovers }: GcPlan): void {
  for (const { manifest } of units) rmSync(path.join(layout.manifests, manifest), { force: true })
  for (const file of leftovers.manifests) rmSync(file.path, { force: true })
  syncFolder(layout.manifests)
  for (const object of objects) rmSync(objectPath(layout, object), { force: true })
  forgetEvicted(layout, gone)
  for (const files of [leftovers.objects, leftovers.staging, leftovers.quarantine, leftovers.runs])
    for (const file of files) rmSync(file.path, { recursive: true, force: true })
}
