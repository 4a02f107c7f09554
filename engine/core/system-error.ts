/** What the machine refused, for a person: what and why, and what to do. */
export interface SystemProblem {
  readonly message: string
  readonly hint: string
}

/** Null for an error that is not the machine's but a mistake of the program's. */
export function systemProblem(error: unknown): SystemProblem | null {
  if (!(error instanceof Error)) return null
  const kind = kindOf(error) ?? kindOf(error.cause)
  if (!kind) return null
  const [why, hint] = reasons[kind]
  return { message: `${why}: ${'errcode' in error ? `a database of the store: ${error.message}` : error.message}`, hint }
}

/** A row of the index that cannot be as it was written. */
export class DamagedIndex extends Error {
  constructor(detail: string) {
    super(detail)
    this.name = 'DamagedIndex'
  }
}

/** Objects that were just stored are not what was stored, over and over. */
export class FailingDisk extends Error {
  constructor(detail: string) {
    super(detail)
    this.name = 'FailingDisk'
  }
}

function kindOf(error: unknown): Kind | undefined {
  if (!(error instanceof Error)) return undefined
  if (error instanceof DamagedIndex) return 'damaged'
  if (error instanceof FailingDisk) return 'failing'
  const { code, errcode, syscall } = error as Error & { code?: unknown; errcode?: unknown; syscall?: unknown }
  // What Node says of a folder, with those above it, that a read-only file system does not let it make.
  if (code === 'ENOENT' && syscall === 'mkdir') return 'unopened'
  if (typeof errcode === 'number') return lacksPart(error) ? 'damaged' : sqliteKinds[errcode & 0xff]
  return typeof code === 'string' ? systemKinds[code] : undefined
}

/** Whether SQLite misses a part of the layout that the index was made with. */
function lacksPart({ message }: Error): boolean {
  return /^no such (column|table)\b/.test(message)
}

/** An error as one text, with what to do when the machine is to blame. */
export function errorText(error: unknown): string {
  const problem = systemProblem(error)
  if (problem) return `${problem.message}; ${problem.hint}`
  return error instanceof Error ? error.message : String(error)
}

/** Adds the file to a system error whose text does not name it, as those of writes and syncs do not. */
export function atFile<Value>(file: string, work: () => Value): Value {
  try {
    return work()
  } catch (error) {
    if (error instanceof Error && 'syscall' in error && !error.message.includes("'")) error.message += ` '${file}'`
    throw error
  }
}

type Kind = keyof typeof reasons

const reasons = {
  full: ['the disk is full', 'free some room and run again; what was committed stays'],
  failing: ['the disk fails', 'see what the kernel says of it (dmesg); what was committed stays, and `dag verify` checks it'],
  readOnly: ['the disk is read-only', 'make it writable (the kernel may have closed it after an error: dmesg) and run again'],
  forbidden: ['access is denied', 'see who owns the file and who may write to it'],
  damaged: ['the index is damaged', 'run `dag verify`: it keeps the index in quarantine and makes it again from the manifests'],
  unopened: ['a file cannot be opened', 'see whether it is a file, its folder is there and writable and the disk not full'],
} as const

const systemKinds: Readonly<Record<string, Kind>> = {
  ENOSPC: 'full',
  EDQUOT: 'full',
  EFBIG: 'full',
  EIO: 'failing',
  EROFS: 'readOnly',
  EACCES: 'forbidden',
  EPERM: 'forbidden',
  EMFILE: 'unopened',
  ENFILE: 'unopened',
  EISDIR: 'unopened',
  ENOTDIR: 'unopened',
  ELOOP: 'unopened',
  ENAMETOOLONG: 'unopened',
}

/** By SQLite's primary result code. */
const sqliteKinds: Readonly<Record<number, Kind>> = {
  8: 'readOnly',
  10: 'failing',
  11: 'damaged',
  13: 'full',
  14: 'unopened',
  23: 'forbidden',
  26: 'damaged',
}
