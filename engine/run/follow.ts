import { closeSync, openSync, readSync } from 'node:fs'
import { StringDecoder } from 'node:string_decoder'
import { setTimeout as pause } from 'node:timers/promises'
import type { RunEvent } from '../core/events.ts'

const pauseMs = 100

/**
 * The events of a run of another process, from its journal: those there are, then those to come. Ends with the last
 * event of the run, or when `isLiving` says that none will come.
 */
export async function* followJournal(file: string, isLiving: () => boolean): AsyncGenerator<RunEvent> {
  const chunk = Buffer.alloc(1 << 16)
  const text = new StringDecoder('utf8')
  let offset = 0
  let rest = ''
  for (;;) {
    const living = isLiving()
    const read = readAt(file, chunk, offset)
    offset += read
    const lines = (rest + text.write(chunk.subarray(0, read))).split('\n')
    rest = lines.pop() as string
    for (const line of lines) {
      const event = JSON.parse(line) as RunEvent
      yield event
      if (event.type === 'run-finished') return
    }
    if (read > 0) continue
    if (!living) return
    await pause(pauseMs)
  }
}

/** How many bytes were read; 0 while there is no file. */
function readAt(file: string, into: Buffer, offset: number): number {
  let descriptor: number
  try {
    descriptor = openSync(file, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0
    throw error
  }
  try {
    return readSync(descriptor, into, 0, into.length, offset)
  } finally {
    closeSync(descriptor)
  }
}
