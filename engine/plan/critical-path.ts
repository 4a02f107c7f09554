import type { PlayedBatch } from './virtual-run.ts'

/** Time that the end of the run waits for a stage; what goes on beside it costs no time. */
export interface PathPart {
  readonly stage: string
  readonly seconds: number
}

/**
 * What the end waits for: from the batch that ends last, back to the one whose end let it begin, and so on to the
 * beginning. Summed by stage, in the order in which the path first meets them; the parts add up to the whole time.
 */
export function criticalPath(batches: readonly PlayedBatch[]): PathPart[] {
  let at: PlayedBatch | null = null
  for (const batch of batches) if (at === null || batch.until >= at.until) at = batch
  const backwards: PlayedBatch[] = []
  for (; at; at = at.after) backwards.push(at)
  const seconds = new Map<string, number>()
  for (const { task, from, until } of backwards.reverse()) seconds.set(task.stage, (seconds.get(task.stage) ?? 0) + until - from)
  return [...seconds].map(([stage, sum]) => ({ stage, seconds: sum }))
}
