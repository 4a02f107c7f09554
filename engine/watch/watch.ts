import { watch as watchFiles } from 'chokidar'

export interface Watcher {
  close(): Promise<void>
}

/** Changes that come within this time are one change: editors write a file in several steps. */
const quietMs = 150

/** Calls `onChange` when one of the paths changes, once for a burst of changes. */
export function watchPaths(paths: readonly string[], onChange: () => void): Watcher {
  const watcher = watchFiles([...paths], { ignoreInitial: true })
  let timer: NodeJS.Timeout | undefined
  watcher.on('all', () => {
    clearTimeout(timer)
    timer = setTimeout(onChange, quietMs)
  })
  return {
    async close() {
      clearTimeout(timer)
      await watcher.close()
    },
  }
}
