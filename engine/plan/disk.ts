import type { Task } from '../core/step-kind.ts'
import type { TaskGraph } from '../graph/expand.ts'
import type { PlayedBatch } from './virtual-run.ts'

/** What a run has written so far and keeps. */
export interface DiskAt {
  /** Since the beginning. */
  readonly seconds: number
  readonly bytes: number
  readonly ofClass: Readonly<Record<string, number>>
}

export interface DiskOverTime {
  /** At every twentieth of the time, the end last. */
  readonly series: readonly DiskAt[]
  readonly peak: DiskAt
}

const steps = 20

/** What a task's cells are to somebody who looks at a disk: files that people open are results, all else goes by its name. */
export function artifactClass({ operation }: Task): string {
  return operation.folder ? 'results' : operation.counts.noun
}

/** What manifests and index take for a cell, and for each of many cells that it is made of: measured at a million cells. */
const noteBytes = { cell: 700, madeOf: 150 }

/** The class of what the store notes of its cells. */
const notes = 'index'

/**
 * Bytes on the disk over the virtual time, by class of artifact. A batch is written when it ends, with what is noted of it;
 * what a transient task wrote is given up when the last of its children ends; at the end, results are shown: they then lie
 * in the store and in the experiment.
 */
export function diskOverTime(batches: readonly PlayedBatch[], graph: TaskGraph): DiskOverTime {
  const end = batches.reduce((latest, { until }) => Math.max(latest, until), 0)
  const written = batches.filter(({ cost }) => cost.bytes > 0).map(({ task, cost, until }) => ({ task, bytes: cost.bytes, until }))
  const artifacts = [...written, ...givenUp(written, endsOf(batches), graph), ...shown(written, end)]
  const changes = [
    ...artifacts.map(({ task, ...change }) => ({ ...change, name: artifactClass(task) })),
    ...batches.map(({ cells, cost, until }) => ({
      name: notes,
      bytes: noteBytes.cell * cells + noteBytes.madeOf * cost.madeOf,
      until,
    })),
  ].sort((a, b) => a.until - b.until || b.bytes - a.bytes)
  const ofClass: Record<string, number> = Object.fromEntries(
    [...batches.map(({ task }) => artifactClass(task)), notes].map((name) => [name, 0]),
  )
  let bytes = 0
  let peak: DiskAt = { seconds: 0, bytes, ofClass: { ...ofClass } }
  const series: DiskAt[] = []
  const sample = (until: number): void => {
    while (series.length < steps - 1 && ((series.length + 1) / steps) * end < until)
      series.push({ seconds: ((series.length + 1) / steps) * end, bytes, ofClass: { ...ofClass } })
  }
  for (const { name, bytes: change, until } of changes) {
    sample(until)
    ofClass[name] = (ofClass[name] as number) + change
    bytes += change
    if (bytes > peak.bytes) peak = { seconds: until, bytes, ofClass: { ...ofClass } }
  }
  sample(Number.POSITIVE_INFINITY)
  return { series: [...series, { seconds: end, bytes, ofClass: { ...ofClass } }], peak }
}

interface Change {
  readonly task: Task
  readonly bytes: number
  readonly until: number
}

/** What people look at is copied from the store when all is done. */
function shown(written: readonly Change[], end: number): Change[] {
  return written.filter(({ task }) => task.operation.folder).map((change) => ({ ...change, until: end }))
}

function endsOf(batches: readonly PlayedBatch[]): ReadonlyMap<string, number> {
  const ends = new Map<string, number>()
  for (const { task, until } of batches) ends.set(task.id, Math.max(until, ends.get(task.id) ?? 0))
  return ends
}

function givenUp(written: readonly Change[], ends: ReadonlyMap<string, number>, graph: TaskGraph): Change[] {
  return written.flatMap(({ task, bytes }) => {
    const children = graph.children.get(task.id) ?? []
    if (!task.transient || children.length === 0) return []
    return [{ task, bytes: -bytes, until: Math.max(...[task.id, ...children].map((id) => ends.get(id) ?? 0)) }]
  })
}
