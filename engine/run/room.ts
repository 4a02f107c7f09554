import { statfsSync } from 'node:fs'
import { formatBytes } from '../core/format.ts'
import { SidecarError } from './executors/sidecar-errors.ts'

/** Free room of a disk. */
export interface Space {
  readonly bytes: number
  /** Null where files are not counted. */
  readonly inodes: number | null
}

/** Sees while a run goes on that its store's disk is not filled up. */
export interface RoomWatch {
  /** Why nothing more is to be started when so many bytes are still to come; null while there is room. */
  short(bytes: number): string | null
  /** Why a run stops after an error that a full disk explains; null when it does not. */
  blames(error: unknown): string | null
}

/** Programs that find less than this fail, each in its own way. */
const fullBytes = 1e6
/** A batch makes a handful of files. */
const keptInodes = 256

/** `keep` bytes stay free beside what is still to come. */
export function roomWatch(folder: string, keep: number, read: (folder: string) => Space = spaceOf): RoomWatch {
  const advice = 'free some room, then run again'
  return {
    short(bytes) {
      const free = read(folder)
      if (free.inodes !== null && free.inodes < keptInodes)
        return `the disk of ${folder} has room for ${free.inodes} more files, and ${keptInodes} are kept free: ${advice}`
      if (free.bytes >= bytes + keep) return null
      const needed = `the next batches may take ${formatBytes(bytes)} and ${formatBytes(keep)} are kept free (--keep-free)`
      return `the disk of ${folder} has ${formatBytes(free.bytes)} free; ${needed}: ${advice}`
    },
    blames(error) {
      const { bytes, inodes } = read(folder)
      const short = bytes < Math.max(keep, fullBytes) || (inodes !== null && inodes < keptInodes)
      if (!isDiskFull(error) && !short) return null
      const [line] = (error instanceof Error ? error.message : String(error)).split('\n')
      return `the disk of ${folder} is full (${formatBytes(bytes)} free): ${line}; ${advice}`
    },
  }
}

export function spaceOf(folder: string): Space {
  const { bavail, bsize, files, ffree } = statfsSync(folder)
  return { bytes: bavail * bsize, inodes: files > 0 ? ffree : null }
}

const sqliteFull = 13

/** Whether an error means that the disk, or this user's share of it, is full. */
export function isDiskFull(error: unknown): error is Error {
  if (error instanceof SidecarError) return error.kind === 'disk-full'
  const { code, errcode, cause } = error as { code?: string; errcode?: number; cause?: unknown }
  return code === 'ENOSPC' || code === 'EDQUOT' || errcode === sqliteFull || (cause instanceof Error && isDiskFull(cause))
}
