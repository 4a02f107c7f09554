import { type Digest, digestOfBytes, digestOfJson } from '../core/digest.ts'
import { canonicalJson, isObject, type Json } from '../core/json.ts'
import type { Components, Task } from '../core/step-kind.ts'

/** Every key component that the cells of a task share, the operation and its version among them. */
export function sharedComponents(task: Task): Components {
  return { operation: task.operation.name, version: task.operation.version, ...task.shared }
}

/**
 * Makes keys of a task's cells: BLAKE3 of the canonical JSON of the shared components, a newline, and that of the
 * cell's own. What a cell has of its own in place of a shared one, such as a system prompt, stands where that would:
 * where it is written is no part of a key. Nor is a path, clock or host.
 */
export function cellKeys(task: Task): (own: Components) => Digest {
  const shared = sharedComponents(task)
  const text = `${canonicalJson(shared)}\n`
  return (own) => {
    const isShared = (name: string) => Object.hasOwn(shared, name)
    if (!Object.keys(own).some(isShared)) return digestOfBytes(text + canonicalJson(own))
    const all = Object.entries({ ...shared, ...own })
    const part = (of: boolean) => canonicalJson(Object.fromEntries(all.filter(([name]) => isShared(name) === of)))
    return digestOfBytes(`${part(true)}\n${part(false)}`)
  }
}

/**
 * Makes deep keys: all that determines a task's cells, their keys and where they are shown, down to the sources.
 * Where a deep key is known as done, no cell need be looked at. Data that tasks share is hashed once.
 */
export function deepKeys(): (task: Task, parents: readonly { role: string; deep: Digest }[]) => Digest {
  const seen = new WeakMap<object, Digest>()
  const digest = (value: Json): Digest => {
    if (value === null || typeof value !== 'object') return digestOfJson(value)
    let known = seen.get(value)
    if (!known) {
      known = digestOfJson(value)
      seen.set(value, known)
    }
    return known
  }
  return (task, parents) => {
    const data = Object.entries(task.data).map(([name, value]) => [name, isObject(value) || Array.isArray(value) ? digest(value) : value])
    const { step, coordinate } = task
    return digestOfJson({ step, coordinate, shared: sharedComponents(task), data: data as Json, parents: parents as Json })
  }
}
