/** How far a number that was computed again lies from the stored one. */
export interface Difference {
  /** Whether every bit is the same. */
  readonly same: boolean
  readonly maxDelta: number
  /** L2 distance relative to the length of what is stored. */
  readonly relative: number
  readonly cosine: number
}

/** One cell that was computed again, and how far it lies from what is stored. */
export interface Recomputed {
  readonly task: string
  readonly cell: string
  readonly operation: string
  /** Null of answers and token lists, whose ids are compared. */
  readonly difference: Difference | null
  /** Of an answer or a token list: how many ids are stored and came out again, and how many leading ones are the same. */
  readonly ids: { readonly stored: number; readonly again: number; readonly common: number } | null
  /** `beyond` its tolerance; an answer that differs drifted, since greedy ids depend on the batch they are made in. */
  readonly verdict: 'same' | 'drift' | 'beyond'
  /** Of a projection: whether the highest of its task's answers along its vector would be another one. */
  readonly flips: boolean | null
  /** What computes now otherwise than when it was stored, in words: `torch 2.12.0, now 2.13.0`. */
  readonly since: readonly string[]
}

export interface RecomputeReport {
  readonly cells: readonly Recomputed[]
  readonly failed: readonly { readonly task: string; readonly cell: string; readonly reason: string }[]
}
