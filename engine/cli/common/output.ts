import { exitCodes } from './exit-codes.ts'

type Listener = (why: string) => void

const listeners = new Set<Listener>()
let gone: string | null = null

const reader = 'nobody reads the output any more'
export const closedTerminal = 'the terminal is gone'

/** What comes of a reader that has seen enough, and of a terminal that is closed. */
const left: Readonly<Record<string, string>> = {
  EPIPE: reader,
  ECONNRESET: reader,
  ERR_STREAM_DESTROYED: reader,
  EIO: closedTerminal,
  ENXIO: closedTerminal,
}

/**
 * Keeps lost output from ending the process in the middle of its work. A reader that has left is no mistake; an
 * output that cannot be written for another reason, such as a full disk, is one.
 */
export function guardOutput(process: NodeJS.Process): void {
  process.stderr.on('error', () => {})
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (gone) return
    gone = left[error.code ?? ''] ?? `the output cannot be written: ${error.message}`
    if (!left[error.code ?? '']) {
      process.stderr.write(`error: ${gone}\n`)
      process.exitCode = exitCodes.internal
    }
    for (const listener of listeners) listener(gone)
  })
}

/** Tells once when stdout cannot be written any more, and why. Returns how to stop listening. */
export function onOutputGone(listener: Listener): () => void {
  if (gone) listener(gone)
  listeners.add(listener)
  return () => listeners.delete(listener)
}
