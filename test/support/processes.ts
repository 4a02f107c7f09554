import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

const pids = (): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)

/** Processes whose parent is `pid`. */
export function childrenOf(pid: number): number[] {
  return pids().filter((candidate) => statOf(candidate)?.parent === pid)
}

/** Processes that work in a folder or below it, also when it is gone. */
export function processesIn(folder: string): number[] {
  return pids().filter((candidate) => {
    try {
      return readlinkSync(`/proc/${candidate}/cwd`).startsWith(folder) && isAlive(candidate)
    } catch {
      return false
    }
  })
}

export function isAlive(pid: number): boolean {
  const state = statOf(pid)?.state
  return state !== undefined && state !== 'Z'
}

/** Kills a process, and says whether it was still there. */
export function killIfThere(pid: number): boolean {
  try {
    if (isAlive(pid)) return process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
  return false
}

function statOf(pid: number): { state: string; parent: number } | null {
  try {
    const [state, parent] = (readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1) as string).split(' ') as [string, string]
    return { state, parent: Number(parent) }
  } catch {
    return null
  }
}
