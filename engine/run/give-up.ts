import type { Digest } from '../core/digest.ts'
import type { CellOutput } from '../core/step-kind.ts'
import type { Plan, PlannedTask } from '../plan/plan.ts'
import { isMissing, type SettledTask } from '../plan/settle.ts'
import { objectsNoted } from '../store/holdings.ts'
import { toBlob } from '../store/index/blob.ts'
import type { Store } from '../store/store.ts'

/** Gives up what transient tasks have made. */
export interface GivingUp {
  /** The cells that a task need not make are its own from now on, until nothing reads the task any more. */
  serves(task: SettledTask): void
  /** A task is done, and noted as done. Returns the tasks whose outputs nothing reads any more, with the bytes that freed. */
  finished(task: string): readonly { readonly task: string; readonly bytes: number }[]
}

/**
 * `held`: objects that another workflow or a pinned run stands on; these stay. So do those that a task of this plan still
 * wants or keeps: readings that tasks have in common lie in one object, or in that of whichever was made last.
 */
export function givingUp(plan: Plan, store: Store, held: () => ReadonlySet<Digest>): GivingUp {
  if (!plan.tasks.some(({ task }) => task.transient)) return { serves: () => {}, finished: () => [] }
  const noted = objectsNoted(store)
  const makersOf = store.db.prepare('SELECT DISTINCT task FROM unit_objects JOIN units ON units.id = unit WHERE object = ?')
  const done = new Set<string>()
  const standing = new Map<Digest, string[]>()
  const stand = (id: string, objects: Iterable<Digest>): void => {
    for (const object of objects) standing.set(object, [...(standing.get(object) ?? []), id])
  }
  const isDone = (id: string): boolean => done.has(id)
  const isReleased = (id: string): boolean => {
    const children = plan.graph.children.get(id) ?? []
    const planned = plan.byId.get(id)
    return !planned || (planned.task.transient === true && isDone(id) && children.length > 0 && children.every(isDone))
  }
  const isWanted = (object: Digest): boolean => {
    const makers = makersOf.all(toBlob(object)) as { task: string }[]
    return held().has(object) || ![...makers.map(({ task }) => task), ...(standing.get(object) ?? [])].every(isReleased)
  }
  return {
    serves({ task, cells }) {
      stand(task.id, new Set(cells.flatMap((cell) => (isMissing(cell) ? [] : [(cell.output as CellOutput).slot.object]))))
    },
    finished(id) {
      done.add(id)
      const { task, deep } = plan.byId.get(id) as PlannedTask
      stand(id, noted(deep) ?? [])
      return task.parents.flatMap(({ task: parent }) => {
        if (!isReleased(parent)) return []
        const objects = noted((plan.byId.get(parent) as PlannedTask).deep) ?? []
        const bytes = store.evict(objects.filter((object) => !isWanted(object)))
        return bytes > 0 ? [{ task: parent, bytes }] : []
      })
    },
  }
}
