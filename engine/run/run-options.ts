import type { Digest } from '../core/digest.ts'
import type { RunFact } from '../core/events.ts'
import type { Plan } from '../plan/plan.ts'
import type { SettledTask } from '../plan/settle.ts'
import type { Worker } from '../schedule/lanes.ts'
import type { Lane } from '../schedule/state.ts'
import type { Store } from '../store/store.ts'
import type { Executor } from './executors/work.ts'
import type { RoomWatch } from './room.ts'
import type { Tally } from './tally.ts'

export interface RunOptions {
  readonly id: string
  readonly workflow: string
  readonly plan: Plan
  readonly store: Store
  readonly executors: Readonly<Record<Lane, Executor>>
  /** Those of the sidecars' lane. */
  readonly workers: readonly Worker[]
  /** Numbers of those that could not be had; the run adds what it loses. */
  readonly lostWorkers: Set<number>
  readonly cores: number
  /** Objects that something else stands on, so that they are not given up after use. */
  held(): ReadonlySet<Digest>
  emit(fact: RunFact): void
  /** Path of a task's log, for the end of the run. */
  logOf(task: string): string | null
  /** Counts of the whole run, of which this is one round. */
  readonly tally: Tally
  /** A task's keys are known, and nothing of it is made yet. */
  onSettled(task: SettledTask): void
  /** Asks once before each decision whether to stop: `drain` lets what runs finish, `now` does not. */
  readonly stop: StopSignal
  readonly room: RoomWatch
  now(): number
}

export interface StopSignal {
  readonly requested: 'drain' | 'now' | null
  /** Why, when nobody asked for it. */
  readonly because: string | null
  /** Lets what runs finish, for a reason of the run's own; more of these change nothing. */
  drain(because: string): void
  /** Calls the listener for every request, also for one that was made before. Returns how to end that. */
  onRequest(listener: (how: 'drain' | 'now', because: string | null) => void): () => void
}
