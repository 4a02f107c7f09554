import { chmodSync, closeSync, openSync, readdirSync, readFileSync, readSync, statSync, utimesSync, writeSync } from 'node:fs'
import path from 'node:path'
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
    .filter((entry) => digestOfBytes(readFileSync(`${entry.parentPath}/${entry.name}`)) !== entry.name.replace(/\.json\.zst$/, ''))
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

/** Rows of the index. */
export function rows<T>(workspace: Workspace, sql: string): T[] {
  const db = new DatabaseSync(workspace.at('cache/index.db'), { readOnly: true })
  try {
    return db.prepare(sql).all() as T[]
  } finally {
    db.close()
  }
}

export function changeIndex(workspace: Workspace, sql: string): void {
  const db = new DatabaseSync(workspace.at('cache/index.db'))
  db.exec(sql)
  db.close()
}

/** `key digest` of every cell: what an undisturbed store and a mended one must agree on. */
export function cellDigests(workspace: Workspace): string[] {
  return rows<{ text: string }>(workspace, "SELECT lower(hex(key) || ' ' || hex(digest)) AS text FROM cells ORDER BY key").map(
    ({ text }) => text,
  )
}

export interface AnswerRecord {
  readonly prompt: string
  readonly earlier?: readonly { readonly role: string; readonly content: string }[]
  readonly response: string
  readonly system_prompt: string | null
  readonly prefill?: string
  readonly tokens: readonly string[]
  readonly token_ids: readonly number[]
  readonly prompt_end: number
}

/** The answers of a task, of all runs so far, in the order of their cells' names. */
export function answersOf(workspace: Workspace, task: string): AnswerRecord[] {
  const sql = `SELECT slot FROM cells JOIN units ON units.id = unit WHERE task = '${task}' ORDER BY cell`
  return rows<{ slot: string }>(workspace, sql).map(({ slot }) => {
    const { object, offset, length } = JSON.parse(slot) as StoredCell & { length: number }
    const bytes = readFileSync(objectFile(workspace, { object, offset })).subarray(offset, offset + length)
    return JSON.parse(bytes.toString()) as AnswerRecord
  })
}

/** The object that the first cell of a task lies in. */
export function objectOf(workspace: Workspace, task: string): { object: string; offset: number } {
  const sql = `SELECT slot ->> '$.object' AS object FROM cells JOIN units ON units.id = unit WHERE task = '${task}' ORDER BY cell LIMIT 1`
  return { offset: 0, ...(rows<{ object: string }>(workspace, sql)[0] as { object: string }) }
}

/** Name of the manifest of a task's batch. */
export function manifestOf(workspace: Workspace, task: string): string {
  return (rows<{ manifest: string }>(workspace, `SELECT manifest FROM units WHERE task = '${task}' ORDER BY id`)[0] as { manifest: string })
    .manifest
}

/** Every file of the store but the databases, with its bytes and its time. */
export function storeFiles(workspace: Workspace): Record<string, string> {
  const files = readdirSync(workspace.at('cache'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\.db/.test(entry.name))
    .map((entry) => path.join(entry.parentPath, entry.name))
  return Object.fromEntries(
    files.sort().map((file) => [path.relative(workspace.folder, file), `${statSync(file).mtimeMs} ${readFileSync(file, 'base64')}`]),
  )
}

/** Makes files as old as this. */
export function age(files: readonly string[], days: number): void {
  const time = new Date(Date.now() - days * 86_400_000)
  for (const file of files) utimesSync(file, time, time)
}
