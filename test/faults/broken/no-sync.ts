/** In place of engine/store/files/sync.ts: nothing is synced. */
export function syncDescriptor(_descriptor: number): void {}

export function syncFolder(_folder: string): void {}
