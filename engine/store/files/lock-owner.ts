import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import type { StoreLayout } from './layout.ts'

/** Who holds a store, as its holder wrote it down. */
export interface LockOwner {
  /** `run 20260102-030000-7f3a of workflows/audit.yaml`, or the command. */
  readonly what: string
  /** Id of the run, when it is one. */
  readonly run: string | null
  readonly pid: number
  readonly host: string
  /** Of the machine's last start, and of the process; null where the system does not tell. */
  readonly boot: string | null
  readonly started: string | null
  /** When the store was taken. */
  readonly since: number
  readonly command: string
}

const ownerFile = (layout: StoreLayout): string => `${layout.lock}.owner`

export function thisProcess(what: string, run: string | null, now: number): LockOwner {
  const { pid } = process
  const command = ['dag', ...process.argv.slice(2)].join(' ')
  return { what, run, pid, host: hostname(), boot: bootId(), started: startOf(pid), since: now, command }
}

/** Is seen whole or not at all. */
export function writeOwner(layout: StoreLayout, owner: LockOwner): void {
  const file = ownerFile(layout)
  writeFileSync(`${file}.${owner.pid}`, JSON.stringify(owner), { mode: 0o600 })
  renameSync(`${file}.${owner.pid}`, file)
}

/** What was written down last, by whoever holds the store or held it; null when nobody has. */
export function readOwner(layout: StoreLayout): LockOwner | null {
  try {
    const owner = JSON.parse(readFileSync(ownerFile(layout), 'utf8')) as Partial<LockOwner>
    return typeof owner.pid === 'number' && typeof owner.what === 'string' ? (owner as LockOwner) : null
  } catch {
    return null
  }
}

/** Whether the very process lives: a number alone may have been given to another. One of another host counts as living. */
export function isLiving({ host, boot, pid, started }: LockOwner): boolean {
  if (host !== hostname()) return true
  if (boot !== bootId()) return false
  if (started !== null) return startOf(pid) === started
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** For a sentence such as "in use by …". */
export function ownerText({ what, pid, host, since, command }: LockOwner): string {
  const time = new Date(since).toISOString().slice(0, 19).replace('T', ' ')
  const where = host === hostname() ? '' : ` on ${host}`
  return `${what}: process ${pid}${where}, since ${time} UTC, started as ${JSON.stringify(command)}`
}

function bootId(): string | null {
  return textOf('/proc/sys/kernel/random/boot_id')?.trim() ?? null
}

/** When a process started, in clock ticks since the machine did; null when it is gone, or a zombie. */
function startOf(pid: number): string | null {
  const fields = textOf(`/proc/${pid}/stat`)?.split(') ').at(-1)?.split(' ')
  return fields && fields[0] !== 'Z' ? (fields[19] ?? null) : null
}

function textOf(file: string): string | null {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return null
  }
}
