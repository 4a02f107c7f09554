import { chmodSync, closeSync, openSync, readdirSync, readFileSync, readSync, statSync, utimesSync, writeSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { digestOfBytes } from '../../engine/core/digest.ts'
import type { Workspace } from './workspace.ts'

export interface StoredCell {
  readonly object: string
  readonly offset: number
}

/** Where a cell of a task is stored. */
export function stored(workspace: Workspace, task: string, cell: string): StoredCell {
  const db = new DatabaseSync(workspace.at('cache/index.db'), { readOnly: true })
  const row = db.prepare('SELECT slot FROM cells JOIN units ON units.id = unit WHERE task = ? AND cell = ?').get(task, cell) as {
    slot: string
  }
  db.close()
  return { offset: 0, ...(JSON.parse(row.slot) as { object: string }) }
}

export function objectFile(workspace: Workspace, { object }: StoredCell): string {
  return workspace.at('cache/objects', object.slice(0, 2), object)
}

/** Flips the bits of one byte; size and, unless it is to be `new`, the time of change stay as they were. */
export function flipByte(file: string, offset: number, time: 'kept' | 'new' = 'kept'): void {
  const { atime, mtime, mode } = statSync(file)
  chmodSync(file, 0o644)
  const descriptor = openSync(file, 'r+')
  const byte = Buffer.alloc(1)
  readSync(descriptor, byte, 0, 1, offset)
  writeSync(descriptor, Buffer.from([(byte[0] as number) ^ 0xff]), 0, 1, offset)
  closeSync(descriptor)
  chmodSync(file, mode)
  if (time === 'kept') utimesSync(file, atime, mtime)
}

/** What is wrong in a store: a name that does not tell the bytes, a cell without its object, a broken index. */
export function faults(workspace: Workspace): string[] {
  const files = (folder: string) =>
    readdirSync(workspace.at('cache', folder), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const named = [...files('objects'), ...files('manifests')]
    .filter((entry) => digestOfBytes(readFileSync(`${entry.parentPath}/${entry.name}`)) !== entry.name.replace(/\.json$/, ''))
    .map((entry) => `${entry.name} holds other bytes`)
  const objects = new Set(files('objects').map((entry) => entry.name))
  const db = new DatabaseSync(workspace.at('cache/index.db'), { readOnly: true })
  const cells = db.prepare('SELECT cell, slot FROM cells').all() as { cell: string; slot: string }[]
  const [{ integrity_check: integrity }] = db.prepare('PRAGMA integrity_check').all() as [{ integrity_check: string }]
  db.close()
  const without = cells
    .filter(({ slot }) => !objects.has((JSON.parse(slot) as StoredCell).object))
    .map(({ cell }) => `${cell} has no object`)
  return [...named, ...without, ...(integrity === 'ok' ? [] : [integrity])]
}
