import type { Components, Task } from '../core/step-kind.ts'
import { changedComponents } from './changes.ts'
import { type FormerNames, formerNames } from './former-names.ts'
import type { History } from './history.ts'
import type { Nearest, News } from './verdict.ts'

/** Says what is new about cells that were never made, and which earlier cells are most like them. */
export interface NewsDesk {
  news(task: Task, cell: string): News
  /** Whether nothing is new about a cell: one that is its equal was made for another task, as readings that organisms share are. */
  madeElsewhere(task: Task, cell: string): boolean
  nearest(task: Task, cell: string, now: Components): Nearest | null
}

export function newsDesk(history: History, taskOf: (id: string) => Task): NewsDesk {
  const stages = new Map<string, readonly (readonly string[])[]>()
  /** Names of earlier tasks of a stage, as parts. */
  const formerTasks = (stage: string): readonly (readonly string[])[] => {
    let found = stages.get(stage)
    if (!found) {
      found = [...history.tasks].filter((id) => id === stage || id.startsWith(`${stage}/`)).map((id) => id.split('/'))
      stages.set(stage, found)
    }
    return found
  }
  const leftOver = (task: string, cell: string): string | null => {
    const { last } = history
    if (!last || last.outcome === 'done' || !last.planned[task]) return null
    return last.all(task).length === 0 || last.of(task, cell) !== null ? last.run : null
  }
  const names = new Map<string, FormerNames>()
  /** Tasks of one operation mostly have the same names, such as those of all organisms, and share what is known of them. */
  const alike = new Map<string, FormerNames>()
  const namesOf = ({ operation }: Task, id: string): FormerNames => {
    let known = names.get(id)
    if (!known) {
      const list = [...history.former(id).names()]
      const told = [operation.name, ...list].join('\n')
      known = alike.get(told) ?? formerNames(list, (name) => operation.axes?.(name) ?? {})
      alike.set(told, known)
      names.set(id, known)
    }
    return known
  }
  const memo = new Map<string, News>()
  /** Parts of a cell's name that no earlier cell of its task has. */
  const freshOf = (task: Task, cell: string): [axis: string, value: string][] =>
    Object.entries(task.operation.axes?.(cell) ?? {}).filter(([axis, value]) => !namesOf(task, task.id).has(axis, value))
  /** Whether an earlier cell of what a task is computed from has this part: a prompt that was answered, a trait with a vector. */
  const knownBefore = (task: Task, axis: string, value: string): boolean =>
    task.parents.some((parent) => {
      const before = taskOf(parent.task)
      return (history.tasks.has(before.id) && namesOf(before, before.id).has(axis, value)) || knownBefore(before, axis, value)
    })

  /** Whether all that a cell is computed from was there by name: of each role a task with an earlier cell that agrees with it. */
  const inputsWereThere = (task: Task, cell: string): boolean => {
    const axes = task.operation.axes?.(cell) ?? {}
    const wasThere = (id: string) => history.tasks.has(id) && namesOf(taskOf(id), id).agrees(axes)
    return (
      task.parents.length > 0 &&
      [...Map.groupBy(task.parents, ({ role }) => role).values()].every((own) => own.some((parent) => wasThere(parent.task)))
    )
  }

  return {
    news(task, cell) {
      const run = leftOver(task.id, cell)
      if (run !== null) return { kind: 'left-over', run }
      if (history.tasks.size === 0) return { kind: 'first-run' }
      const former = formerTasks(task.stage)
      if (former.length === 0) return added('step', task.stage)
      if (!history.tasks.has(task.id)) {
        let news = memo.get(task.id)
        if (!news) {
          news = newPart(task, former)
          memo.set(task.id, news)
        }
        return news
      }
      const fresh = freshOf(task, cell)
      return added(...(fresh.find(([axis, value]) => !knownBefore(task, axis, value)) ?? fresh[0] ?? ['cell', cell]))
    },
    madeElsewhere(task, cell) {
      if (!history.tasks.has(task.id) || leftOver(task.id, cell) !== null) return false
      const fresh = freshOf(task, cell)
      return fresh.length > 0 ? fresh.every(([axis, value]) => knownBefore(task, axis, value)) : inputsWereThere(task, cell)
    },
    nearest(task, cell, now) {
      const at = nearestTask(task, formerTasks(task.stage), history)
      const name = at === null ? undefined : namesOf(task, at).nearest(task.operation.axes?.(cell) ?? {})
      const former = at !== null && name !== undefined ? history.former(at).get(name) : undefined
      return former ? { cell: `${at}:${name}`, run: former.run, changes: changedComponents(former.components(), now) } : null
    },
  }
}

function added(axis: string, name: string): News {
  return { kind: 'added', axis, name }
}

/** The part of a task's name that no earlier task of its stage has. */
function newPart(task: Task, former: readonly (readonly string[])[]): News {
  const parts = task.id.split('/')
  const axisOf = (value: string) => Object.entries(task.coordinate).find((entry) => entry[1] === value)?.[0] ?? 'task'
  const fresh = parts.find((part, index) => !former.some((other) => other[index] === part))
  return fresh === undefined ? added('task', task.id) : added(axisOf(fresh), fresh)
}

/** This very task, if it was there before, else the earlier one of its stage whose name is most like its own. */
function nearestTask(task: Task, former: readonly (readonly string[])[], history: History): string | null {
  if (history.tasks.has(task.id)) return task.id
  const parts = task.id.split('/')
  return best(former, (other) => parts.filter((part, index) => other[index] === part).length)?.join('/') ?? null
}

/** The first of the highest. */
function best<T>(list: readonly T[], score: (item: T) => number): T | undefined {
  let found: T | undefined
  let highest = -1
  for (const item of list) {
    const value = score(item)
    if (value > highest) [found, highest] = [item, value]
  }
  return found
}
