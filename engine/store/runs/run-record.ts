import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import type { Digest } from '../../core/digest.ts'
import { replaceDurably, writeDurably } from '../files/durable.ts'
import type { StoreLayout } from '../files/layout.ts'
import { syncFolder } from '../files/sync.ts'

/** What a run stands on: kept in its folder, so that garbage collection knows what must stay, also without an index. */
export interface RunRecord {
  readonly run: string
  readonly workflow: string
  /** The workflow's file, relative to the store: a workspace that moves keeps its records. */
  readonly file: string
  /** Milliseconds since 1970. */
  readonly at: number
  /** Whether everything was done; if not, `objects` are those that were there at its start. */
  readonly finished: boolean
  /** Every object that cells of the workflow lie in. */
  readonly objects: readonly Digest[]
}

export interface KeptRecord extends RunRecord {
  readonly pinned: boolean
}

const recordName = 'stands-on.json'
const pinName = 'pinned'

export function writeRunRecord(layout: StoreLayout, { run, workflow, file, at, finished, objects }: RunRecord): void {
  const folder = path.join(layout.runs, run)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  replaceDurably(path.join(folder, recordName), JSON.stringify({ run, workflow, file, at, finished, objects }))
  syncFolder(layout.runs)
}

/** Every record that can be read, oldest first. */
export function readRunRecords(layout: StoreLayout): KeptRecord[] {
  const records = readdirSync(layout.runs).flatMap((run) => readRecord(layout, run) ?? [])
  return records.sort((a, b) => a.at - b.at)
}

/** Whether the last record of a workflow's file already says this. */
export function isRecorded(layout: StoreLayout, file: string, objects: readonly Digest[]): boolean {
  let last: RunRecord | undefined
  for (const run of readdirSync(layout.runs).sort().reverse()) {
    if (last && secondOf(run) !== secondOf(last.run)) break
    const record = readRecord(layout, run)
    if (record?.file === file && (!last || record.at > last.at)) last = record
  }
  return last !== undefined && last.finished && last.objects.join() === objects.join()
}

/** Names of runs begin with the second that they were started in. */
function secondOf(run: string): string {
  return run.slice(0, '20260131-235959'.length)
}

function readRecord(layout: StoreLayout, run: string): KeptRecord | undefined {
  try {
    const record = JSON.parse(readFileSync(path.join(layout.runs, run, recordName), 'utf8')) as Partial<RunRecord>
    if (typeof record.file !== 'string' || typeof record.at !== 'number' || !Array.isArray(record.objects)) return undefined
    return { ...(record as RunRecord), run, pinned: existsSync(path.join(layout.runs, run, pinName)) }
  } catch {
    return undefined
  }
}

/** Pins a run, so that what it stands on stays, or takes the pin off. False when there is no such run. */
export function pinRun(layout: StoreLayout, run: string, pinned: boolean): boolean {
  const folder = path.join(layout.runs, path.basename(run))
  if (!existsSync(path.join(folder, recordName))) return false
  const pin = path.join(folder, pinName)
  rmSync(pin, { force: true })
  if (pinned) writeDurably(pin, '')
  return true
}

/** The record of a workflow that is given up: it stands on nothing. */
export function forgotten(record: KeptRecord): KeptRecord {
  return { ...record, finished: true, objects: [] }
}
