import type { DatabaseSync, SQLInputValue } from 'node:sqlite'
import type { Digest } from '../../core/digest.ts'
import type { Slot } from '../../core/step-kind.ts'
import { toBlob } from './blob.ts'
import type { Manifest } from '../files/manifest.ts'
import { storedJson } from './stored-json.ts'

/** Adds a manifest's rows, under the next number unless one is given. */
export function insertManifest(db: DatabaseSync, name: string, manifest: Manifest, id: number | null = null): void {
  const { run, workflow, task, operation, shared, created, maker } = manifest
  const inserted = db
    .prepare(
      'INSERT OR IGNORE INTO units (id, manifest, run, workflow, task, operation, shared, created, maker) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
    )
    .run(id, name, run, workflow, task, operation, JSON.stringify(shared), created, maker ? JSON.stringify(maker) : null)
  if (inserted.changes === 0) return
  const unit = inserted.lastInsertRowid as SQLInputValue
  const object = db.prepare('INSERT OR REPLACE INTO objects (digest, bytes) VALUES (?, ?)')
  const link = db.prepare('INSERT OR IGNORE INTO unit_objects (object, unit) VALUES (?, ?)')
  for (const file of manifest.objects) {
    object.run(toBlob(file.digest), file.bytes)
    link.run(toBlob(file.digest), unit)
  }
  const cell = db.prepare(
    'INSERT OR REPLACE INTO cells (key, digest, unit, cell, slot, own, inputs, facts) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
  )
  const use = db.prepare('INSERT OR IGNORE INTO uses (input, unit) VALUES (?, ?)')
  const used = new Set<Digest>()
  for (const entry of manifest.cells) {
    const json = [entry.slot, entry.own, entry.inputs, entry.facts].map((part) => JSON.stringify(part))
    cell.run(toBlob(entry.key), toBlob(entry.digest), unit, entry.cell, ...(json as [string, string, string, string]))
    for (const input of entry.inputs) used.add(input)
  }
  for (const input of used) use.run(toBlob(input), unit)
}

/**
 * Cells of a batch that lie in another one so far will lie in this: what is noted as done by an object of theirs stands on
 * their new one too. So it is where two tasks of a run have cells in common. Returns whether there are any.
 */
export function followMoved(db: DatabaseSync, { cells }: Manifest): boolean {
  const former = db.prepare('SELECT slot FROM cells WHERE key = ?')
  const moves = new Map<string, readonly [from: Digest, to: Digest]>()
  let moved = false
  for (const { key, slot } of cells) {
    const row = former.get(toBlob(key)) as { slot: string } | undefined
    if (!row) continue
    moved = true
    const { object } = storedJson(row.slot) as Slot
    if (object !== slot.object) moves.set(`${object} ${slot.object}`, [object, slot.object])
  }
  const follow = db.prepare(
    `UPDATE done SET objects = json_insert(objects, '$[#]', :to)
     WHERE (SELECT max(value = :from) AND NOT max(value = :to) FROM json_each(iif(json_valid(objects), objects, '[]')))`,
  )
  for (const [from, to] of moves.values()) follow.run({ from, to })
  return moved
}
