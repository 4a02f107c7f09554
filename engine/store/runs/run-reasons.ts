import { appendFileSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import type { StoreLayout } from '../files/layout.ts'

/**
 * Why a run made what it made: one line when it starts, one for each task whose keys it computed, one when it ends.
 * Kept in the run's folder, so that `dag why` can tell it afterwards.
 */
export interface ReasonsHead {
  readonly run: string
  /** The workflow's file, relative to the store. */
  readonly file: string
  /** Milliseconds since 1970. */
  readonly at: number
  /** Cells that were to be made, by task; tasks with none are left out. */
  readonly planned: Readonly<Record<string, number>>
}

/** Reasons of one task's cells, by cell or for all of them. */
export interface TaskReasons<R> {
  readonly task: string
  readonly reasons: readonly { readonly cells: readonly string[] | null; readonly reason: R }[]
}

export interface RunReasons<R> extends ReasonsHead {
  /** Null when the run did not come to its end. */
  readonly outcome: string | null
  /** Of a cell; the latest when its task was settled more than once. */
  of(task: string, cell: string): R | null
  /** All of a task, the latest first; none when its keys were not computed. */
  all(task: string): readonly R[]
}

const fileName = 'reasons.ndjson'

export interface ReasonsWriter<R> {
  task(reasons: TaskReasons<R>): void
  end(outcome: string): void
}

export function writeReasons<R>(layout: StoreLayout, head: ReasonsHead): ReasonsWriter<R> {
  const folder = path.join(layout.runs, head.run)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const append = (line: object) => appendFileSync(path.join(folder, fileName), `${JSON.stringify(line)}\n`)
  append(head)
  return {
    task: append,
    end: (outcome) => append({ outcome }),
  }
}

/** The reasons that the last run of a workflow's file wrote down; a run with nothing to do writes none. */
export function lastReasons<R>(layout: StoreLayout, file: string): RunReasons<R> | null {
  let last: RunReasons<R> | null = null
  for (const run of readdirSync(layout.runs).sort().reverse()) {
    if (last && run.slice(0, secondLength) !== last.run.slice(0, secondLength)) break
    const found = readReasons<R>(layout, run)
    if (found?.file === file && (!last || found.at > last.at)) last = found
  }
  return last
}

/** Names of runs begin with the second that they were started in. */
const secondLength = '20260131-235959'.length

/** The reasons of a run; null when it wrote none. A line that was cut off is left out. */
export function readReasons<R>(layout: StoreLayout, run: string): RunReasons<R> | null {
  let text: string
  try {
    text = readFileSync(path.join(layout.runs, path.basename(run), fileName), 'utf8')
  } catch {
    return null
  }
  const lines = text.split('\n')
  const head = parsed(lines[0]) as ReasonsHead | null
  if (!head) return null
  const tasks = new Map<string, readonly TaskReasons<R>[]>()
  const linesOf = (task: string): readonly TaskReasons<R>[] => {
    const start = `{"task":${JSON.stringify(task)},`
    const found =
      tasks.get(task) ?? lines.filter((line) => line.startsWith(start)).flatMap((line) => (parsed(line) as TaskReasons<R> | null) ?? [])
    tasks.set(task, found)
    return found
  }
  return {
    ...head,
    outcome: (parsed(lines.at(-2)) as { outcome?: string } | null)?.outcome ?? null,
    all: (task) => linesOf(task).flatMap(({ reasons }) => reasons.map(({ reason }) => reason)),
    of(task, cell) {
      for (const { reasons } of linesOf(task).toReversed()) {
        const found = reasons.find(({ cells }) => cells === null || cells.includes(cell))
        if (found) return found.reason
      }
      return null
    },
  }
}

function parsed(line: string | undefined): unknown {
  try {
    return JSON.parse(line ?? '')
  } catch {
    return null
  }
}
