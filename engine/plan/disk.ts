import type { Task } from '../core/step-kind.ts'
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

/** Bytes on the disk over the virtual time, by class of artifact. A batch is written when it ends. */
export function diskOverTime(batches: readonly PlayedBatch[]): DiskOverTime {
  const written = batches.filter(({ cost }) => cost.bytes > 0).sort((a, b) => a.until - b.until)
  const end = batches.reduce((latest, { until }) => Math.max(latest, until), 0)
  const ofClass: Record<string, number> = Object.fromEntries(batches.map(({ task }) => [artifactClass(task), 0]))
  let bytes = 0
  let peak: DiskAt = { seconds: 0, bytes, ofClass: { ...ofClass } }
  const series: DiskAt[] = []
  const sample = (until: number): void => {
    while (series.length < steps - 1 && ((series.length + 1) / steps) * end < until)
      series.push({ seconds: ((series.length + 1) / steps) * end, bytes, ofClass: { ...ofClass } })
  }
  for (const { task, cost, until } of written) {
    sample(until)
    const name = artifactClass(task)
    ofClass[name] = (ofClass[name] as number) + cost.bytes
    bytes += cost.bytes
    if (bytes > peak.bytes) peak = { seconds: until, bytes, ofClass: { ...ofClass } }
  }
  sample(Number.POSITIVE_INFINITY)
  return { series: [...series, { seconds: end, bytes, ofClass: { ...ofClass } }], peak }
}
