import { canonicalJson, type Json } from '../core/json.ts'
import type { Task } from '../core/step-kind.ts'
import type { SettledCell } from '../plan/settle.ts'
import type { RunReasons } from '../store/runs/run-reasons.ts'
import type { Verdict } from './verdict.ts'

/** A verdict with what it speaks of: what a run would do, or what one did. */
export interface Told {
  readonly cell: string
  readonly key: string | null
  readonly tells: 'plan' | 'run'
  /** The run that it speaks of. */
  readonly run: string | null
  readonly verdict: Verdict
}

/** Before a run its plan is explained; where there is nothing to do, the last run is, from what that wrote down. */
export function tell(last: RunReasons<Verdict> | null, task: Task, cell: SettledCell, now: Verdict): Told {
  const head = { cell: cell.spec.id, key: cell.key }
  if (now.verdict !== 'served') return { ...head, tells: 'plan', run: null, verdict: now }
  const recorded = last?.of(task.id, cell.spec.id)
  if (!last || !recorded) return { ...head, tells: 'plan', run: null, verdict: now }
  if (recorded.verdict === 'served') return { ...head, tells: 'run', run: last.run, verdict: { ...now, afterAll: true } }
  return now.since === last.run
    ? { ...head, tells: 'run', run: last.run, verdict: recorded }
    : { ...head, tells: 'plan', run: null, verdict: now }
}

/** A change that others follow from, and where it was. */
export interface Root {
  /** `task:cell`, or a task. */
  readonly at: string
  readonly verdict: Verdict
}

/** More cells than this are not followed back. */
const followed = 1000

/** What a run's verdict goes back to: the cells whose own keys changed, not only those of their inputs. */
export function rootsOf(last: RunReasons<Verdict>, verdict: Verdict): Root[] {
  const roots = new Map<string, Root>()
  const seen = new Set(inputsOf(verdict))
  for (const at of seen) {
    if (seen.size > followed) break
    const colon = at.indexOf(':')
    const recorded = colon < 0 ? last.all(at) : [last.of(at.slice(0, colon), at.slice(colon + 1))]
    for (const reason of recorded) {
      if (!reason || reason.verdict === 'served') continue
      const further = inputsOf(reason)
      for (const input of further) seen.add(input)
      if (further.length === 0 || (reason.verdict === 'changed' && reason.changes.some((change) => !change.from))) {
        const id = canonicalJson(evidence(reason) as unknown as Json)
        if (!roots.has(id)) roots.set(id, { at, verdict: reason })
      }
    }
  }
  return [...roots.values()]
}

function inputsOf(verdict: Verdict): readonly string[] {
  return verdict.verdict === 'changed' ? verdict.changes.flatMap((change) => change.from ?? []) : []
}

/** What makes two roots the same: the changes that come from outside, or what is new. */
function evidence(verdict: Verdict): object {
  switch (verdict.verdict) {
    case 'changed':
      return verdict.changes.filter((change) => !change.from)
    case 'new':
      return verdict.news
    case 'served':
    case 'rebuilt':
    case 'waits':
      return verdict
  }
}
