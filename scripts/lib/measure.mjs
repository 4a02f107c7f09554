// Timing of whole processes.
import { spawnSync } from 'node:child_process'
import { at, node24, root } from './setup.mjs'

export const dagProgram = at('engine', 'bin', 'dag.mjs')

/** Runs a command to its end; answers milliseconds of wall time. Throws with its last words when it fails. */
export function time(command, args, { cwd = root, env = {} } = {}) {
  const started = performance.now()
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, ...env },
    maxBuffer: 1 << 28,
  })
  const ms = performance.now() - started
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}:\n${stderr.slice(-2000)}${stdout.slice(-2000)}`)
  return { ms, stdout }
}

export const dag = (args, options) => time(node24, [dagProgram, ...args], options)

export function median(values) {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}
