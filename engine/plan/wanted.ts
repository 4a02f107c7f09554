import type { TaskGraph } from '../graph/expand.ts'
import type { SettledTask } from './settle.ts'

/** Cells that were given up and that something to be made reads, by task. */
export type Wanted = ReadonlyMap<string, ReadonlySet<string>>

/**
 * Which given-up cells of transient tasks are to be made again: those that cells to be made read, also where these wait
 * for another input. From the last task back, since what is made again may itself read what was given up.
 * `runs`: the cells of a task that must run, null for one that is up to date; `again`: tells that cells of it are wanted.
 */
export function wantedAgain(
  graph: TaskGraph,
  runs: (task: string) => SettledTask | null,
  again: (task: string, cells: ReadonlySet<string>) => void,
): Wanted {
  const wanted = new Map<string, Set<string>>()
  if (!graph.tasks.some((task) => task.transient)) return wanted
  for (const { id } of graph.tasks.toReversed()) {
    const own = wanted.get(id)
    if (own) again(id, own)
    for (const { spec } of runs(id)?.missing ?? []) {
      for (const input of spec.inputs) {
        if (!input.evicted || !graph.byId.get(input.task)?.transient) continue
        const cells = wanted.get(input.task)
        if (cells) cells.add(input.cell)
        else wanted.set(input.task, new Set([input.cell]))
      }
    }
  }
  return wanted
}
