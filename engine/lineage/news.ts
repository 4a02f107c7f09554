import type { Components, Task } from '../core/step-kind.ts'
import { changedComponents } from './changes.ts'
import type { History } from './history.ts'
import type { Nearest, News } from './verdict.ts'

/** Says what is new about cells that were never made, and which earlier cells are most like them. */
export interface NewsDesk {
  news(task: Task, cell: string): News
  nearest(task: Task, cell: string, now: Components): Nearest | null
}

export function newsDesk(history: History): NewsDesk {
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
  const memo = new Map<string, News>()

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
      return newAxis(task, cell, history)
    },
    nearest(task, cell, now) {
      const at = nearestCell(task, cell, formerTasks(task.stage), history)
      const former = at && history.former(at.task).get(at.cell)
      return former ? { cell: `${at.task}:${at.cell}`, run: former.run, changes: changedComponents(former.components(), now) } : null
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

/** The part of a cell's name that no earlier cell of its task has. */
function newAxis(task: Task, cell: string, history: History): News {
  const axesOf = (name: string) => task.operation.axes?.(name) ?? {}
  const known = [...history.former(task.id).keys()].map(axesOf)
  const fresh = Object.entries(axesOf(cell)).find(([axis, value]) => !known.some((other) => other[axis] === value))
  return fresh ? added(...fresh) : added('cell', cell)
}

/** The earlier cell that has most in common: of this very task, else of the task of its stage that is most like it. */
function nearestCell(
  task: Task,
  cell: string,
  former: readonly (readonly string[])[],
  history: History,
): { task: string; cell: string } | null {
  const parts = task.id.split('/')
  const alike = (other: readonly string[]) => parts.filter((part, index) => other[index] === part).length
  const nearest = history.tasks.has(task.id) ? parts : best(former, alike)
  if (!nearest) return null
  const id = nearest.join('/')
  const axesOf = (name: string) => Object.entries(task.operation.axes?.(name) ?? {})
  const mine = new Map(axesOf(cell))
  const found = best([...history.former(id).keys()], (name) => axesOf(name).filter(([axis, value]) => mine.get(axis) === value).length)
  return found === undefined ? null : { task: id, cell: found }
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
