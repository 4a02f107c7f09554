import { randomFillSync } from 'node:crypto'
import { closeSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs'
import path from 'node:path'
import type { Speeds } from '../../plan/profile.ts'
import { createDiskReader } from '../../store/files/direct-read.ts'
import { spaceOf } from '../room.ts'

/** Of what is free, a tenth at the most. */
const mostBytes = 512 << 20
const chunkBytes = 1 << 20

/** Bytes a second that a folder's disk writes, until they would survive a power cut, and reads past the page cache and hashes. */
export async function diskSpeed(folder: string): Promise<Pick<Speeds, 'writeBytes' | 'readBytes'>> {
  const file = path.join(folder, 'disk-speed')
  const chunks = Math.max(1, Math.floor(Math.min(mostBytes, spaceOf(folder).bytes / 10) / chunkBytes))
  const chunk = randomFillSync(Buffer.alloc(chunkBytes))
  try {
    const writing = seconds()
    const handle = openSync(file, 'wx', 0o600)
    try {
      for (let index = 0; index < chunks; index++) writeSync(handle, chunk)
      fsyncSync(handle)
    } finally {
      closeSync(handle)
    }
    const written = writing()
    const reading = seconds()
    await createDiskReader().digest(file)
    return { writeBytes: (chunks * chunkBytes) / written, readBytes: (chunks * chunkBytes) / reading() }
  } finally {
    rmSync(file, { force: true })
  }
}

function seconds(): () => number {
  const began = performance.now()
  return () => (performance.now() - began) / 1000
}
