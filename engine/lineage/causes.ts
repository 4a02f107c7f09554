import { isObject, type Json } from '../core/json.ts'
import type { Place } from '../core/place.ts'
import type { Task } from '../core/step-kind.ts'
import type { SettledCell } from '../plan/settle.ts'
import { itemOf, originOf } from './explain.ts'
import type { History } from './history.ts'
import type { News, PlacedChange, Verdict } from './verdict.ts'

/** What happened, seen from outside, that makes cells run. Many cells have the same one. */
export interface Cause {
  readonly type:
    | 'first-run'
    | 'left-over'
    | 'added'
    | 'removed'
    | 'edited'
    | 'parameter'
    | 'operation'
    | 'version'
    | 'damaged'
    | 'gone'
    | 'evicted'
    | 'made-before'
    | 'inputs'
  /** The kind of thing: trait, layer, prompt, adapter, the parameter's name. */
  readonly subject: string
  readonly name: string
  /** The step or model whose parameter it is. */
  readonly of: string | null
  readonly old?: Json
  readonly new?: Json
  readonly place: Place | null
}

/** Two causes of one identity are the same. */
export function causeId({ type, subject, name, of }: Cause): string {
  return `${type}\n${subject}\n${name}\n${of}`
}

/** What telling causes asks of the past and of the plan. */
export interface Past {
  readonly history: History
  taskOf(id: string): Task
}

/** The causes that a cell itself has; one that waits also has those of the cells it waits for. */
export function ownCauses(task: Task, cell: SettledCell, verdict: Verdict, past: Past): readonly Cause[] {
  switch (verdict.verdict) {
    case 'served':
      return []
    case 'rebuilt':
      return [cause(verdict.damage.state, 'object', verdict.damage.object)]
    case 'new':
      return [ofNews(verdict.news)]
    case 'waits':
      if (verdict.news) return [ofNews(verdict.news)]
      return telling(verdict.changes.flatMap((change) => ofChange(task, cell, change, verdict.since ?? '', past)))
    case 'changed':
      return telling(verdict.changes.flatMap((change) => ofChange(task, cell, change, verdict.since, past)))
  }
}

function cause(type: Cause['type'], subject: string, name: string, more: Partial<Cause> = {}): Cause {
  return { type, subject, name, of: null, place: null, ...more }
}

function ofNews(news: News): Cause {
  switch (news.kind) {
    case 'first-run':
      return cause('first-run', '', '')
    case 'left-over':
      return cause('left-over', 'run', news.run)
    case 'added':
      return cause('added', news.axis, news.name)
  }
}

function ofChange(task: Task, cell: SettledCell, change: PlacedChange, since: string, past: Past): Cause[] {
  const { old, new: now } = change
  const origin = originOf(task, change.component)
  if (origin?.from === 'workflow' && origin.path[0] === 'organisms' && isNames(old) && isNames(now)) {
    const came = now.filter((name) => !old.includes(name)).map((name) => cause('added', 'organism', name))
    const went = old.filter((name) => !now.includes(name)).map((name) => cause('removed', 'organism', name))
    if (came.length + went.length > 0) return [...came, ...went]
  }
  return [causeOf(task, cell, change, since, past)]
}

function isNames(value: Json): value is readonly string[] {
  return Array.isArray(value) && value.every((name) => typeof name === 'string')
}

function causeOf(task: Task, cell: SettledCell, change: PlacedChange, since: string, past: Past): Cause {
  const { component, place, old, new: now } = change
  if (component === 'operation') return cause('operation', 'operation', String(now), { of: task.step, old, new: now })
  if (component === 'version') return cause('version', 'operation', task.operation.name, { old, new: now })
  const origin = originOf(task, component)
  if (!origin) return ofInput(task, cell, change, since, past)
  switch (origin.from) {
    case 'workflow': {
      const [, of, ...path] = origin.path
      const parameter = [...path, ...component.split('.').slice(1)].join('.')
      return cause('parameter', String(origin.path[0]), parameter || component, { of: String(of), place, old, new: now })
    }
    case 'model':
      return cause('edited', 'model', origin.name, { place })
    case 'organism':
      return cause('edited', 'adapter', origin.name, { place })
    case 'prompt-set':
      return origin.part === 'prompt' || isOwn(task, cell, component, past)
        ? cause('edited', 'prompt', itemOf(task, cell.spec.id), { place })
        : cause('edited', origin.part ?? 'prompt set', origin.name, { place })
    case 'trait':
      return cause('edited', 'contrast set', origin.name, { place })
    case 'file':
      return cause('edited', 'file', origin.name, { place })
  }
}

/** Whether it is the cell's own part that changed, such as the system prompt of one prompt, and not one that its task shares. */
function isOwn(task: Task, { spec }: SettledCell, component: string, { history }: Past): boolean {
  if (spec.own && Object.hasOwn(spec.own, component)) return true
  const before = history.former(task.id).get(spec.id)?.shared()
  return before !== undefined && before[component] === task.shared[component]
}

/** An input that came, went, or is another than before. */
function ofInput(task: Task, cell: SettledCell, change: PlacedChange, since: string, past: Past): Cause {
  const { component, old, new: now } = change
  const dot = component.indexOf('.')
  if (dot > 0 && (old === null || now === null)) {
    const name = component.slice(dot + 1)
    return cause(now === null ? 'removed' : 'added', axisOf(task, cell, component.slice(0, dot), name, past), name)
  }
  const runs = cell.spec.inputs.map((input) => past.history.stored(input.key)?.run ?? '')
  const latest = runs.reduce((a, b) => (b > a ? b : a), '')
  return latest > since ? cause('made-before', 'run', latest) : cause('inputs', 'stage', task.stage)
}

/** By what the inputs of a role are told apart in the key, e.g. `organism`. */
function axisOf(task: Task, { spec }: SettledCell, role: string, name: string, past: Past): string {
  const told = spec.own?.[role]
  const names = new Set([name, ...(isObject(told) ? Object.keys(told) : [])])
  for (const parent of task.parents) {
    if (parent.role !== role) continue
    const axis = Object.entries(past.taskOf(parent.task).coordinate).find((entry) => names.has(entry[1]))
    if (axis) return axis[0]
  }
  return 'input'
}

/** Inputs that came or went are told only where no parameter says so, and that they are others only where nothing else does. */
function telling(causes: readonly Cause[]): readonly Cause[] {
  const parameter = causes.some(({ type, subject }) => type === 'parameter' && subject === 'steps')
  const told = causes.filter(({ type }) => type !== 'inputs' && !(parameter && (type === 'added' || type === 'removed')))
  return told.length > 0 ? told : causes
}
