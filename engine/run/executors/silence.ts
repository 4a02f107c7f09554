/** Watches that something is heard while something is awaited. */
export interface SilenceWatch {
  /** Something is awaited from now on, or no longer. */
  await(awaited: boolean): void
  heard(): void
}

const ticks = 10

/**
 * Calls `onSilence` once when nothing was heard for `seconds`. Counts ticks in place of reading a clock, so that an
 * engine that was itself stopped or busy for long reads what came in the meantime before it judges.
 */
export function silenceWatch(seconds: number, onSilence: () => void): SilenceWatch {
  let timer: NodeJS.Timeout | null = null
  let quiet = 0
  const tick = (): void => {
    quiet++
    if (quiet < ticks) return
    stop()
    onSilence()
  }
  const stop = (): void => {
    if (timer) clearInterval(timer)
    timer = null
  }
  return {
    await(awaited) {
      if (!awaited) return stop()
      if (timer) return
      quiet = 0
      timer = setInterval(tick, (seconds * 1000) / ticks)
    },
    heard() {
      quiet = 0
    },
  }
}
