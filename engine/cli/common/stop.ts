import type { StopSignal } from '../../run/run-options.ts'

export interface Stop extends StopSignal {
  /** ctrl-c and its like: the first lets what runs finish, the second ends it, the third ends this process. */
  request(): void
}

/** `end` ends this process at once. */
export function createStop(end: () => void): Stop {
  const listeners = new Set<Parameters<StopSignal['onRequest']>[0]>()
  let requested: 'drain' | 'now' | null = null
  let because: string | null = null
  const tell = (how: 'drain' | 'now'): void => {
    requested = how
    for (const listener of listeners) listener(how, because)
  }
  return {
    get requested() {
      return requested
    },
    get because() {
      return because
    },
    onRequest(listener) {
      listeners.add(listener)
      if (requested) listener(requested, because)
      return () => listeners.delete(listener)
    },
    request() {
      if (requested === 'now') return end()
      tell(requested === null ? 'drain' : 'now')
    },
    drain(why) {
      if (requested) return
      because = why
      tell('drain')
    },
  }
}
