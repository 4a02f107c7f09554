import type { Digest } from '../../core/digest.ts'
import type { StoredFile } from '../files/manifest.ts'

/** Which objects a partial reading takes, and how far the next ones have to go. */
export interface Subset {
  readonly chosen: readonly StoredFile[]
  /** The last one chosen: the next reading goes on behind it. */
  readonly cursor: Digest | null
  /** How many more readings of this size reach the end of the store, before they begin anew. */
  readonly more: number
}

/**
 * The next part of the objects in the order of their digests, behind `cursor` and around the end; at least `share` of
 * all bytes. So ⌈1 / share⌉ readings one after another cover every object that was there all the time.
 */
export function chooseSubset(objects: readonly StoredFile[], cursor: Digest | null, share: number): Subset {
  const behind = (digest: Digest | null) => (digest === null ? [...objects] : objects.filter((object) => object.digest > digest))
  const ahead = behind(cursor)
  const inTurn = [...ahead, ...objects.slice(0, objects.length - ahead.length)]
  const wanted = share * sumOf(objects)
  const chosen: StoredFile[] = []
  let bytes = 0
  for (const object of inTurn) {
    if (chosen.length > 0 && bytes >= wanted) break
    chosen.push(object)
    bytes += object.bytes
  }
  const last = chosen.at(-1)?.digest ?? null
  return { chosen, cursor: last, more: last === null ? 0 : Math.ceil(sumOf(behind(last)) / Math.max(1, wanted)) }
}

function sumOf(objects: readonly StoredFile[]): number {
  return objects.reduce((sum, { bytes }) => sum + bytes, 0)
}
