import type { StopSignal } from '../run/run.ts'

export interface Stop extends StopSignal {
  /** The first request lets what runs finish, the next one ends it. */
  request(): void
}

export function createStop(): Stop {
  const listeners: ((how: 'drain' | 'now') => void)[] = []
  let requested: 'drain' | 'now' | null = null
  return {
    get requested() {
      return requested
    },
    onRequest: (listener) => listeners.push(listener),
    request() {
      if (requested === 'now') return
      requested = requested === null ? 'drain' : 'now'
      for (const listener of listeners) listener(requested)
    },
  }
}
