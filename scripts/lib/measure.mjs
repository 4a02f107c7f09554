// Timing of whole processes.
import { spawnSync } from 'node:child_process'
import { at, node24, python, root } from './setup.mjs'

export const dagProgram = at('engine', 'bin', 'dag.cjs')

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

const measured = `
import resource, subprocess, sys, time
started = time.perf_counter()
status = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
print((time.perf_counter() - started) * 1000, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
sys.exit(status)`

/** Runs a command to its end; answers milliseconds of wall time and the largest resident set in MB (on Linux). */
export function timeAndMemory(command, args, options) {
  const [ms, rssMb] = time(python, ['-c', measured, command, ...args], options)
    .stdout.split(' ')
    .map(Number)
  return { ms, rssMb }
}

export const dag = (args, options) => time(node24, [dagProgram, ...args], options)

export function median(values) {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}
