import { createReadStream } from 'node:fs'
import { createHasher, type Digest } from '../core/digest.ts'
import { objectPath, type StoreLayout } from './layout.ts'

/** Those of the objects whose bytes are not what their name says. */
export async function damagedObjects(layout: StoreLayout, objects: readonly Digest[]): Promise<Digest[]> {
  const damaged: Digest[] = []
  for (const object of objects) {
    const hasher = createHasher()
    for await (const chunk of createReadStream(objectPath(layout, object), { highWaterMark: 1 << 20 })) hasher.update(chunk as Buffer)
    if (hasher.digest() !== object) damaged.push(object)
  }
  return damaged
}
