import { fstatSync, statSync } from 'node:fs'
import { closedTerminal, onOutputGone } from './output.ts'
import type { Stop } from './stop.ts'

const npmGone = 'npm, which started it, is gone'
/** Milliseconds between two looks for npm. */
const look = 500

/** Turns signals, the loss of the output and the end of npm into requests to stop. Returns how to end that. */
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
  const endWatch = detached ? () => {} : onNpmGone(process, () => stop.drain(npmGone))
  return () => {
    process.off('SIGINT', asked).off('SIGTERM', asked).off('SIGHUP', hungUp)
    endOutput()
    endWatch()
    // One that comes while the process ends changes nothing of what it ends with.
    const late = () => process.exit()
    process.on('SIGINT', late).on('SIGTERM', late)
  }
}

/**
 * Tells when `npx` or `npm run` is gone that started this process: a signal that ends npm alone, as `kill` and a container's
 * end send it, reaches nothing below it. Returns how to stop looking.
 */
function onNpmGone(process: NodeJS.Process, gone: () => void): () => void {
  if (process.env.npm_command === undefined) return () => {}
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid !== parent) gone()
  }, look)
  timer.unref()
  return () => clearInterval(timer)
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
