import { canonicalJson, isObject, type Json } from '../core/json.ts'
import type { Components } from '../core/step-kind.ts'

/** One named part of a key that is not what it was. Null stands for a part that was not there. */
export interface Change {
  readonly component: string
  readonly old: Json
  readonly new: Json
}

/** The named parts that differ, nested ones with dotted names. Another operation has other parts and is all that is told. */
export function changedComponents(old: Components, now: Components): Change[] {
  if (old.operation !== now.operation) return [{ component: 'operation', old: old.operation ?? null, new: now.operation ?? null }]
  const changes: Change[] = []
  addChanges(changes, '', old, now)
  return changes.sort((a, b) => (a.component < b.component ? -1 : 1))
}

function addChanges(changes: Change[], component: string, old: Json, now: Json): void {
  if (old === now) return
  if (!isObject(old) && !isObject(now)) {
    if (canonicalJson(old) !== canonicalJson(now)) changes.push({ component, old, new: now })
    return
  }
  const [before, after] = [old, now].map((side) => (isObject(side) ? side : {})) as [Components, Components]
  // What was one value and is parts now, or the other way, differs in itself too.
  if (!isObject(old) && old !== null) changes.push({ component, old, new: null })
  if (!isObject(now) && now !== null) changes.push({ component, old: null, new: now })
  const prefix = component === '' ? '' : `${component}.`
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)]))
    addChanges(changes, `${prefix}${name}`, before[name] ?? null, after[name] ?? null)
}

/** `temperature: 0 → 0.7`; digests are cut, and long texts to where they differ. */
export function changeText({ component, old, new: now }: Change): string {
  const same = typeof old === 'string' && typeof now === 'string' ? sameStart(old, now) : 0
  return `${component}: ${valueText(old, same)} → ${valueText(now, same)}`
}

const shownCharacters = 60
const leadIn = 12

export function valueText(value: Json, same = 0): string {
  if (value === null) return '(none)'
  if (typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)) return value.slice(0, 12)
  const text = typeof value === 'string' && same > 0 ? `"…${JSON.stringify(value.slice(same - leadIn)).slice(1)}` : JSON.stringify(value)
  return text.length > shownCharacters ? `${text.slice(0, shownCharacters - 3)}…${text.at(-1)}` : text
}

/** How much of two long texts is the same before they part, when that would hide where they do. */
function sameStart(a: string, b: string): number {
  if (Math.min(a.length, b.length) <= shownCharacters) return 0
  let same = 0
  while (same < a.length && a[same] === b[same]) same++
  return same > shownCharacters / 2 ? same : 0
}
