import path from 'node:path'
import { isObject, type Json } from '../core/json.ts'
import type { Locate } from '../core/place.ts'
import type { Components, Origin, Task } from '../core/step-kind.ts'
import type { SourceRecord } from '../store/runs/run-sources.ts'
import type { LineageNode } from './lineage.ts'
import type { ProvSource } from './prov.ts'

const kindOf = { organism: 'adapter', model: 'model', 'prompt-set': 'prompt-set', trait: 'trait', file: 'file' } as const

/** What the tasks of a plan read from outside. `root` is the folder that files are told relative to. */
export function sourcesOf(tasks: readonly Task[], locate: Locate, root: string): SourceRecord[] {
  const found = new Map<string, SourceRecord & { tasks: string[] }>()
  for (const task of tasks) {
    for (const [name, origin] of Object.entries(task.origins)) {
      if (origin.from === 'workflow' || (origin.part !== undefined && origin.part !== 'prompt')) continue
      const component = origin.from === 'model' ? `${name}.weights` : origin.from === 'prompt-set' || origin.part === 'prompt' ? null : name
      const revision = component === null ? null : textAt(task.shared, component)
      const id = JSON.stringify([origin.from, origin.name, component, revision, origin.file])
      const known = found.get(id)
      if (known) known.tasks.push(task.id)
      else {
        const file = fileOf(task, origin, locate)
        const record = { kind: kindOf[origin.from], name: origin.name, file: file === null ? null : path.relative(root, file) }
        found.set(id, { ...record, component, revision, tasks: [task.id] })
      }
    }
  }
  return [...found.values()]
}

/** The value of a dotted part of a key, as text. */
export function textAt(components: Components, dotted: string): string | null {
  let value: Json = components
  for (const part of splitOnce(dotted)) value = isObject(value) ? (value[part] ?? null) : null
  return typeof value === 'string' ? value : null
}

/** Names within a part may hold dots themselves. */
function splitOnce(dotted: string): string[] {
  const dot = dotted.indexOf('.')
  return dot < 0 ? [dotted] : [dotted.slice(0, dot), dotted.slice(dot + 1)]
}

function fileOf(task: Task, origin: Origin & { from: keyof typeof kindOf }, locate: Locate): string | null {
  if (origin.from === 'model') return task.state?.base.path ?? null
  if (origin.from === 'organism') return task.state?.adapter?.path ?? null
  const place = locate(origin, null)
  return place && path.resolve(place.file)
}

/** Which of the sources the cells of a lineage read, told by the revisions that stand in their keys. */
export function provSources(nodes: readonly LineageNode[], records: readonly SourceRecord[]): ProvSource[] {
  const found = new Map<string, ProvSource & { readers: string[] }>()
  const byTask = new Map<string, SourceRecord[]>()
  for (const record of records) for (const task of record.tasks) byTask.set(task, [...(byTask.get(task) ?? []), record])
  for (const { key, task, components } of nodes) {
    for (const { kind, name, file, component } of byTask.get(task) ?? []) {
      const revision = component === null ? null : textAt(components, component)
      if (revision === null) continue
      const known = found.get(`${kind} ${name} ${revision}`)
      if (known) {
        if (known.readers.at(-1) !== key) known.readers.push(key)
      } else found.set(`${kind} ${name} ${revision}`, { kind, name, revision, file, readers: [key] })
    }
  }
  return [...found.values()]
}
