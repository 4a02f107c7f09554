import type { LostWorker, RunEvent, RunFact, RunFinished } from '../core/events.ts'
import type { StoreLayout } from '../store/files/layout.ts'
import { type Journal, openJournal } from './journal.ts'

export interface Hearing {
  onEvent(event: RunEvent): void
  now(): number
}

/** Tells a run's events to its journal and to whoever shows it. */
export class Teller {
  readonly emit: (fact: RunFact) => void
  readonly #runs: string
  readonly #run: string
  #journal: Journal | null = null
  #modelLoads = 0
  #adapterSwitches = 0
  readonly #lostWorkers = new Map<string, LostWorker>()

  constructor({ runs }: StoreLayout, run: string, { onEvent, now }: Hearing) {
    this.#runs = runs
    this.#run = run
    let ended = false
    this.emit = (fact) => {
      const event: RunEvent = { at: now(), ...fact }
      if (event.type === 'state-changed') {
        this.#modelLoads += Number(event.change === 'base-loaded')
        this.#adapterSwitches += Number(event.change === 'adapter-on')
      }
      if (event.type === 'worker-lost') this.#lostWorkers.set(event.worker, { worker: event.worker, message: event.message })
      this.#journal?.event(event)
      // What a sidecar says while it ends is for the logs only.
      if (!ended) onEvent(event)
      ended ||= event.type === 'run-finished'
    }
  }

  /** From now on there is a journal: a run with nothing to do has none. */
  keepJournal(): void {
    this.#journal ??= openJournal(this.#runs, this.#run)
  }

  logOf(task: string): string | null {
    return this.#journal?.logOf(task) ?? null
  }

  get lostWorkers(): readonly LostWorker[] {
    return [...this.#lostWorkers.values()]
  }

  /** Of models and adapters so far. */
  get loads(): Pick<RunFinished, 'modelLoads' | 'adapterSwitches'> {
    return { modelLoads: this.#modelLoads, adapterSwitches: this.#adapterSwitches }
  }
}
