import { fstatSync, statSync } from 'node:fs'
import { closedTerminal, onOutputGone } from './output.ts'
import type { Stop } from './stop.ts'

/** Turns signals and the loss of the output into requests to stop. Returns how to end that. */
export function listenForInterruptions(process: NodeJS.Process, stop: Stop): () => void {
  const detached = isDetached()
  const asked = () => stop.request()
  const hungUp = () => {
    if (!detached) stop.drain(closedTerminal)
  }
  process.on('SIGINT', asked).on('SIGTERM', asked).on('SIGHUP', hungUp)
  const endOutput = onOutputGone((why) => {
    if (!stop.requested) process.stderr.write(`${why}: what runs is finished first, then the run stops\n`)
    stop.drain(why)
  })
  return () => {
    process.off('SIGINT', asked).off('SIGTERM', asked).off('SIGHUP', hungUp)
    endOutput()
    // One that comes while the process ends changes nothing of what it ends with.
    const late = () => process.exit()
    process.on('SIGINT', late).on('SIGTERM', late)
  }
}

/**
 * Whether this process was set free of its terminal, as `nohup` does it: nothing to read, and files to write to. That
 * the signal was to be ignored is forgotten by Node before any program of ours runs.
 */
function isDetached(): boolean {
  const toFile = (descriptor: number) => fstatSync(descriptor).isFile() || isNull(descriptor)
  return isNull(0) && toFile(1) && toFile(2)
}

function isNull(descriptor: number): boolean {
  const stat = fstatSync(descriptor)
  return stat.isCharacterDevice() && stat.rdev === statSync('/dev/null').rdev
}
