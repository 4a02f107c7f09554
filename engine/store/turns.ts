import { setImmediate as othersTurn } from 'node:timers/promises'

/** Milliseconds that work goes on before it looks up: a display stands still and a key is not heard for as long. */
const longest = 50

/** To be awaited often in long work of this process: now and then it lets everything else have its turn. */
export function turns(atMost = longest): () => Promise<void> {
  let last = performance.now()
  return async () => {
    if (performance.now() - last < atMost) return
    await othersTurn()
    last = performance.now()
  }
}
