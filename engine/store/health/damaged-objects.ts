import type { Digest } from '../../core/digest.ts'
import { createDiskReader } from '../files/direct-read.ts'
import { objectPath, type StoreLayout } from '../files/layout.ts'

/** Those of the objects whose bytes on the disk are not what their name says. */
export async function damagedObjects(layout: StoreLayout, objects: readonly Digest[]): Promise<Digest[]> {
  if (objects.length === 0) return []
  const reader = createDiskReader()
  const damaged: Digest[] = []
  for (const object of objects) if ((await reader.digest(objectPath(layout, object))) !== object) damaged.push(object)
  return damaged
}
