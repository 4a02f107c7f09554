import type { Digest } from '../core/digest.ts'
import { canonicalJson, isObject, type Json } from '../core/json.ts'
import type { Components, Task } from '../core/step-kind.ts'
import { sharedComponents } from '../plan/keys.ts'
import type { Plan } from '../plan/plan.ts'
import type { SettledCell } from '../plan/settle.ts'
import type { Store } from '../store/store.ts'

/** Why a cell is served or made, with the evidence. */
export type Verdict =
  | { readonly verdict: 'up-to-date'; readonly run: string; readonly key: Digest }
  | { readonly verdict: 'lost'; readonly key: Digest }
  | { readonly verdict: 'new'; readonly key: Digest }
  | { readonly verdict: 'waits'; readonly parents: readonly string[] }
  | { readonly verdict: 'changed'; readonly key: Digest; readonly run: string; readonly changes: readonly Change[] }

/** One named part of a key that is not what it was. Null stands for a part that was not there. */
export interface Change {
  readonly component: string
  readonly old: Json
  readonly new: Json
}

/** Compares a cell's key with the one that the same cell of the same task was last made under. */
export function explainCell(store: Store, plan: Plan, workflow: string, task: Task, cell: SettledCell): Verdict {
  if (cell.key === null) {
    const parents = task.parents.filter((parent) => (plan.byId.get(parent.task)?.toRun ?? 0) > 0).map((parent) => parent.task)
    return { verdict: 'waits', parents }
  }
  if (cell.lost) return { verdict: 'lost', key: cell.key }
  const stored = store.find(cell.key)
  if (stored) return { verdict: 'up-to-date', run: store.unit(stored.unit).run, key: cell.key }
  const former = formerCell(store, workflow, task.id, cell.spec.id)
  if (!former) return { verdict: 'new', key: cell.key }
  const now = { ...sharedComponents(task), ...cell.spec.own }
  return { verdict: 'changed', key: cell.key, run: former.run, changes: changedComponents(former.components, now) }
}

function formerCell(store: Store, workflow: string, task: string, cell: string): { components: Components; run: string } | null {
  const row = store.db
    .prepare(
      `SELECT cells.own AS own, units.shared AS shared, units.run AS run FROM units JOIN cells ON cells.unit = units.id
       WHERE units.task = ? AND units.workflow = ? AND cells.cell = ? ORDER BY units.id DESC LIMIT 1`,
    )
    .get(task, workflow, cell) as { own: string; shared: string; run: string } | undefined
  return row ? { run: row.run, components: { ...(JSON.parse(row.shared) as Components), ...(JSON.parse(row.own) as Components) } } : null
}

/** The named parts that differ, nested ones with dotted names. */
export function changedComponents(old: Components, now: Components): Change[] {
  const before = flatten(old)
  const after = flatten(now)
  const names = [...new Set([...before.keys(), ...after.keys()])].sort()
  return names.flatMap((component): Change[] => {
    const change = { component, old: before.get(component) ?? null, new: after.get(component) ?? null }
    return canonicalJson(change.old) === canonicalJson(change.new) ? [] : [change]
  })
}

function flatten(value: Components, prefix = ''): Map<string, Json> {
  const parts = new Map<string, Json>()
  for (const [name, member] of Object.entries(value)) {
    if (isObject(member)) for (const [inner, leaf] of flatten(member, `${prefix}${name}.`)) parts.set(inner, leaf)
    else parts.set(`${prefix}${name}`, member)
  }
  return parts
}

/** `temperature: 0 → 0.7`; digests and long texts are cut. */
export function changeText({ component, old, new: now }: Change): string {
  return `${component}: ${valueText(old)} → ${valueText(now)}`
}

function valueText(value: Json): string {
  if (value === null) return '(none)'
  if (typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)) return value.slice(0, 12)
  const text = JSON.stringify(value)
  return text.length > 60 ? `${text.slice(0, 57)}…${text.at(-1)}` : text
}
