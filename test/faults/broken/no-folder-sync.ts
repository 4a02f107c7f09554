import { fsyncSync } from 'node:fs'

/** In place of engine/store/files/sync.ts: files are synced, their names are not. */
export function syncDescriptor(descriptor: number): void {
  fsyncSync(descriptor)
}

export function syncFolder(_folder: string): void {}
