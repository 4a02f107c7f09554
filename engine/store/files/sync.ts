import { closeSync, fsyncSync, openSync } from 'node:fs'
import { atFile } from '../../core/system-error.ts'

/** Puts on disk what was written through a descriptor. A sync that failed is never tried again: it may then succeed with the data lost. */
export function syncDescriptor(descriptor: number): void {
  fsyncSync(descriptor)
}

/** Puts the names in a folder on disk. */
export function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r')
  try {
    atFile(folder, () => fsyncSync(descriptor))
  } finally {
    closeSync(descriptor)
  }
}
