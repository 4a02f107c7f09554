import type { Digest } from '../core/digest.ts'
import type { Plan, PlannedTask } from '../plan/plan.ts'
import { objectsNoted } from '../store/holdings.ts'
import type { Store } from '../store/store.ts'

/** Gives up what transient tasks have made. */
export interface GivingUp {
  /** A task is done, and noted as done. Returns the tasks whose outputs nothing reads any more, with the bytes that freed. */
  finished(task: string): readonly { readonly task: string; readonly bytes: number }[]
}

/** `held`: objects that another workflow or a pinned run stands on; these stay. */
export function givingUp(plan: Plan, store: Store, held: () => ReadonlySet<Digest>): GivingUp {
  const noted = objectsNoted(store)
  const done = new Set<string>()
  const isDone = (id: string): boolean => done.has(id)
  return {
    finished(id) {
      done.add(id)
      const { task } = plan.byId.get(id) as PlannedTask
      return task.parents.flatMap(({ task: parent }) => {
        const { task: used, deep } = plan.byId.get(parent) as PlannedTask
        if (!used.transient || !isDone(parent) || !plan.graph.children.get(parent)?.every(isDone)) return []
        const bytes = store.evict((noted(deep) ?? []).filter((object) => !held().has(object)))
        return bytes > 0 ? [{ task: parent, bytes }] : []
      })
    },
  }
}
