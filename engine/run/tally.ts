import type { RunFinished } from '../core/events.ts'

interface Counted {
  readonly cells: number
  readonly toRun: number
  /** Made in this round, and in the ones before it. */
  ran: number
  readonly before: number
  failed: number
  message: string | null
  readonly blocked: boolean
}

/** Counts of a run, over all its rounds: it plans once more when an object was found damaged. */
export class Tally {
  readonly #started: number
  readonly #tasks = new Map<string, Counted>()
  readonly #unchanged = new Set<string>()
  #failures = 0
  #bytes = 0
  #givenUp = 0
  #peakMemory = 0
  #attempts = 0
  #firstFailure: string | null = null

  constructor(now: number) {
    this.#started = now
  }

  /** What is made so far stays made; what failed is tried again. */
  nextRound(): void {
    for (const [id, task] of this.#tasks) {
      this.#tasks.set(id, { ...task, toRun: 0, ran: 0, before: task.before + task.ran, failed: 0, message: null, blocked: false })
    }
    this.#failures = 0
    this.#firstFailure = null
  }

  settled(id: string, { cells, toRun, unchangedAfterAll }: { cells: number; toRun: number; unchangedAfterAll: boolean }): void {
    const before = this.#tasks.get(id)?.before ?? 0
    this.#tasks.set(id, { cells, toRun, ran: 0, before, failed: 0, message: null, blocked: false })
    if (unchangedAfterAll && before === 0) this.#unchanged.add(id)
    else if (toRun > 0) this.#unchanged.delete(id)
  }

  batch(id: string, ran: number, failed: number, bytes: number): void {
    const task = this.#of(id)
    task.ran += ran
    task.failed += failed
    this.#bytes += bytes
  }

  givenUp(bytes: number): void {
    this.#givenUp += bytes
  }

  /** Of the process that holds the model. */
  memory(bytes: number): void {
    this.#peakMemory = Math.max(this.#peakMemory, bytes)
  }

  failure(id: string, message: string): void {
    this.#of(id).message ??= message
    this.#firstFailure ??= id
    this.#failures++
  }

  blocked(id: string): void {
    const before = this.#tasks.get(id)?.before ?? 0
    this.#tasks.set(id, { cells: 0, toRun: 0, ran: 0, before, failed: 0, message: null, blocked: true })
  }

  nextAttempt(): number {
    return ++this.#attempts
  }

  /** Tasks that failed in this round. */
  get failedTasks(): string[] {
    return [...this.#tasks].flatMap(([id, { message }]) => (message === null ? [] : [id]))
  }

  get failed(): number {
    return this.#failures
  }

  /** In this round. */
  ranOf(id: string): number {
    return this.#of(id).ran
  }

  reusedOf(id: string): number {
    const { cells, toRun } = this.#of(id)
    return cells - toRun
  }

  failureOf(id: string): string {
    return this.#of(id).message ?? 'failed'
  }

  totals(
    now: number,
    logOf: (task: string) => string | null,
  ): Pick<RunFinished, 'tasks' | 'cells' | 'unchangedAfterAll' | 'seconds' | 'bytes' | 'givenUp' | 'peakMemory' | 'failure'> {
    const tasks = [...this.#tasks.values()].filter((task) => !task.blocked || task.before > 0)
    const sum = (of: (task: Counted) => number) => tasks.reduce((total, task) => total + of(task), 0)
    const made = (task: Counted) => task.ran + task.before
    const task = this.#firstFailure
    return {
      tasks: {
        ran: sum((each) => Number(made(each) > 0 && each.ran === each.toRun && each.message === null)),
        reused: sum((each) => Number(each.toRun === 0 && each.before === 0)),
        failed: sum((each) => Number(each.message !== null)),
      },
      cells: {
        ran: sum(made),
        reused: sum((each) => Math.max(0, each.cells - each.toRun - each.before)),
        failed: sum((each) => each.failed),
      },
      unchangedAfterAll: this.#unchanged.size,
      seconds: (now - this.#started) / 1000,
      bytes: this.#bytes,
      givenUp: this.#givenUp,
      peakMemory: this.#peakMemory,
      failure: task === null ? null : { task, message: this.failureOf(task), log: logOf(task) },
    }
  }

  #of(id: string): Counted {
    const task = this.#tasks.get(id)
    if (!task) throw new Error(`task ${id} is not settled yet`)
    return task
  }
}
