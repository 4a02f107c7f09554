import type { Locate } from '../core/place.ts'
import type { CellOutput, Components, Origin, Task } from '../core/step-kind.ts'
import { sharedComponents } from '../plan/keys.ts'
import type { SettledCell } from '../plan/settle.ts'
import { type Change, changedComponents } from './changes.ts'
import type { History } from './history.ts'
import { newsDesk } from './news.ts'
import type { PlacedChange, Verdict } from './verdict.ts'

/** Says of cells why they are served or made, from their keys and from what the store knows of the past. */
export interface Explainer {
  cell(task: Task, cell: SettledCell): Verdict
}

export function explainer(history: History, locate: Locate, taskOf: (id: string) => Task): Explainer {
  const desk = newsDesk(history, taskOf)
  const compared = new Map<Task, Map<Components, readonly PlacedChange[]>>()
  /** Changes that a task's cells share, found once for all that were made together. */
  const sharedChanges = (task: Task, cell: SettledCell, former: Components): readonly PlacedChange[] => {
    const known = compared.get(task) ?? new Map<Components, readonly PlacedChange[]>()
    compared.set(task, known)
    const changes =
      known.get(former) ?? changedComponents(former, sharedComponents(task)).map((change) => placed(change, task, cell, locate))
    known.set(former, changes)
    return changes
  }
  return {
    cell(task, cell) {
      const { key, spec } = cell
      if (key === null) {
        const former = history.former(task.id).get(spec.id)
        if (!former) {
          const news = desk.madeElsewhere(task, spec.id) ? null : desk.news(task, spec.id)
          return { verdict: 'waits', since: null, changes: [], news }
        }
        return { verdict: 'waits', since: former.run, changes: sharedChanges(task, cell, former.shared()), news: null }
      }
      if (cell.lost || cell.output) {
        const stored = history.stored(key)
        if ((cell.lost || cell.again) && stored) return { verdict: 'rebuilt', since: stored.run, damage: history.damage(stored.object) }
        if (cell.output) return { verdict: 'served', since: stored?.run ?? '', object: cell.output.slot.object }
      }
      const now: Components = { ...sharedComponents(task), ...spec.own }
      const former = history.former(task.id).get(spec.id)
      if (!former) return { verdict: 'new', news: desk.news(task, spec.id), nearest: desk.nearest(task, spec.id, now) }
      const changes = changedComponents(former.components(), now).map((change) => placed(change, task, cell, locate))
      return { verdict: 'changed', since: former.run, changes }
    },
  }
}

/** Where a named part of a task's keys comes from: it, or the nearest part that it belongs to. */
export function originOf(task: Task, component: string): Origin | null {
  for (let name = component; ; name = name.slice(0, name.lastIndexOf('.'))) {
    const origin = task.origins[name]
    if (origin) return origin
    if (!name.includes('.')) return null
  }
}

function placed(change: Change, task: Task, { spec }: SettledCell, locate: Locate): PlacedChange {
  const origin = originOf(task, change.component)
  if (origin) return { ...change, place: locate(origin, itemOf(task, spec.id)) }
  const exact = spec.inputs.filter((input) => input.digest === change.new).map(cellName)
  const from = exact.length > 0 ? exact : inputTasks(task, change.component)
  return { ...change, place: null, ...(from.length > 0 ? { from } : {}) }
}

/** The parents that a part of a key is folded from, e.g. `organism.alpha`: those in the role `organism` named for alpha. */
function inputTasks(task: Task, component: string): string[] {
  const dot = component.indexOf('.')
  const [role, name] = [component.slice(0, dot), component.slice(dot + 1)]
  return task.parents.filter((parent) => parent.role === role && parent.task.split('/').includes(name)).map((parent) => parent.task)
}

/** Which prompt of its set a cell is of. */
export function itemOf(task: Task, cell: string): string {
  return task.operation.axes?.(cell).prompt ?? cell
}

function cellName({ task, cell }: Pick<CellOutput, 'task' | 'cell'>): string {
  return `${task}:${cell}`
}
