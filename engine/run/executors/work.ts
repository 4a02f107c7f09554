import type { Batch } from '../../plan/settle.ts'
import type { Maker } from '../../core/maker.ts'
import type { Facts, Inputs, Slot, Task } from '../../core/step-kind.ts'
import type { StagedFile } from '../../store/files/durable.ts'

/** A batch with what it takes to do it. */
export interface Work {
  readonly task: Task
  readonly inputs: Inputs
  readonly batch: Batch
  /** An empty folder of this attempt's own; results are taken from nowhere else. */
  readonly staging: string
  /** Number of the sidecar that does it. Default: the first. */
  readonly worker?: number
}

/** What came of a batch: staged files, the cells in them, and the cells that could not be had. */
export interface Outcome {
  readonly files: readonly StagedFile[]
  readonly cells: readonly MadeCell[]
  readonly failed: readonly { readonly id: string; readonly reason: string }[]
  /** What did it, where it says so. */
  readonly maker?: Maker | undefined
  /** Most bytes of memory that the process which did it had so far, where it says so. */
  readonly peakMemory?: number | undefined
  /** Seconds before the work itself: a process was started, a model loaded, an adapter put on. */
  readonly readySeconds?: number
}

export interface MadeCell {
  readonly id: string
  readonly digest: string
  readonly slot: Slot
  readonly facts: Facts
}

/** A batch was not begun, since its worker cannot be had: another one may do it. */
export class WorkerGone extends Error {
  constructor(cause: Error) {
    super(cause.message, { cause })
  }
}

/** Does batches of one lane. */
export interface Executor {
  /** @throws WorkerGone, what for is its cause; anything else where the batch was begun. */
  execute(work: Work): Promise<Outcome>
  close(): Promise<void>
  /** Ends what runs, at once. */
  kill(): void
}
