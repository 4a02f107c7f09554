import type { Digest } from '../core/digest.ts'
import type { Place } from '../core/place.ts'
import type { ObjectDamage } from '../store/health/damage-facts.ts'
import type { Change } from './changes.ts'

/**
 * Why a cell is served or made, with the evidence. A cell that has an earlier one of its name is `changed`, `served`
 * or `rebuilt`; one that has none is `new`; one whose inputs are made first `waits` for its key.
 */
export type Verdict =
  | { readonly verdict: 'changed'; readonly since: string; readonly changes: readonly PlacedChange[] }
  | {
      readonly verdict: 'served'
      /** The run that made it. */
      readonly since: string
      readonly object: Digest
      /** It was expected to run, and its inputs came out as before. */
      readonly afterAll?: true
    }
  | { readonly verdict: 'rebuilt'; readonly since: string; readonly damage: ObjectDamage }
  | {
      readonly verdict: 'new'
      readonly news: News
      /** The earlier cell that is most like it. */
      readonly nearest: Nearest | null
    }
  | {
      readonly verdict: 'waits'
      /** The run that last made a cell of this name. */
      readonly since: string | null
      /** What has changed already, so that it runs however its inputs come out. */
      readonly changes: readonly PlacedChange[]
      readonly news: News | null
    }

/** A change with where its new value comes from. */
export interface PlacedChange extends Change {
  /** Null when it is written nowhere. */
  readonly place: Place | null
  /** The input cells whose output it is, or the tasks that it sums up. */
  readonly from?: readonly string[]
}

/** What is new about a cell that was never made. */
export type News =
  | { readonly kind: 'first-run' }
  /** It was to be made by a run that did not come so far. */
  | { readonly kind: 'left-over'; readonly run: string }
  /** A value that no earlier cell has: a trait, a layer, an organism, a step. */
  | { readonly kind: 'added'; readonly axis: string; readonly name: string }

export interface Nearest {
  /** `task:cell` */
  readonly cell: string
  readonly run: string
  readonly changes: readonly Change[]
}
