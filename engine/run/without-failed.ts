import type { Prepared } from '../prepare.ts'

/** A workflow without the organisms that failed in a run of it. */
export interface WithoutFailed {
  readonly prepared: Prepared
  readonly leftOut: readonly string[]
}

/**
 * What is left of a workflow when organisms have failed: the one whose list does not name them, with its keys, so that
 * rankings of the others are there in the morning and are made anew when the failed ones are mended. Null where something
 * else failed too, or no organism is left.
 */
export function withoutFailed(prepared: Prepared, failedTasks: readonly string[]): WithoutFailed | null {
  const failed = new Set(failedTasks.map((id) => prepared.graph.byId.get(id)?.coordinate.organism))
  if (failed.size === 0 || failed.has(undefined)) return null
  const { sources } = prepared
  const graph = prepared.graphOf({ ...sources, organisms: sources.organisms.filter(({ name }) => !failed.has(name)) })
  if (!graph.tasks.some(({ coordinate }) => coordinate.organism !== undefined)) return null
  return { prepared: { ...prepared, graph }, leftOut: [...failed] as string[] }
}
