import { statSync } from 'node:fs'
import { type Digest, digestOfBytes } from '../../core/digest.ts'
import { type CellOutput, CorruptObject, type Reader, type Slot } from '../../core/step-kind.ts'
import type { Finding } from './damage.ts'
import { createDiskReader, type DiskReader } from '../files/direct-read.ts'
import { fileOfName, indexName } from '../files/layout.ts'
import { createReader } from '../read.ts'
import type { Store } from '../store.ts'
import { storedJson } from '../index/stored-json.ts'
import { sameStamp, type ViewRow } from '../view.ts'

export interface CheckedViews {
  readonly checked: number
  /** Results that are no longer there: the next run puts them back. */
  readonly gone: number
  /** Results that were changed since they were written: the next run keeps them aside. */
  readonly edited: readonly string[]
  readonly findings: readonly Finding[]
}

/**
 * Every result shown is that of a cell which the index knows; with `read`, it also holds what the store holds. Files
 * that somebody removed or edited are no damage.
 */
export async function checkViews(store: Store, read: boolean, onView: (done: number, total: number) => void): Promise<CheckedViews> {
  const rows = store.db.prepare('SELECT path, digest, size, mtime, ctime, inode FROM views ORDER BY path').all() as unknown as (ViewRow & {
    path: string
  })[]
  const shown = shownCells(store)
  const reader = createReader(store.layout)
  const disk = createDiskReader()
  const edited: string[] = []
  const findings: Finding[] = []
  let gone = 0
  for (const [index, row] of rows.entries()) {
    onView(index + 1, rows.length)
    const file = fileOfName(store.layout, row.path)
    const stat = statSync(file, { bigint: true, throwIfNoEntry: false })
    if (!stat) {
      gone++
      continue
    }
    // Other stamps alone are no edit: a copy of a workspace has them.
    const isOurs = sameStamp(row, stat)
    const problem = () => viewProblem(file, row.digest, shown.get(row.digest), read || !isOurs ? { reader, disk } : null)
    const detail = await problem()
    if (detail === null) continue
    if (isOurs) findings.push(damagedView(store, file, row.digest, detail, async () => (await problem()) !== null))
    else edited.push(file)
  }
  return { checked: rows.length, gone, edited, findings }
}

async function viewProblem(
  file: string,
  digest: Digest,
  slot: Slot | undefined,
  read: { reader: Reader; disk: DiskReader } | null,
): Promise<string | null> {
  if (!slot) return 'shows a result that the index does not know'
  if (!read) return null
  try {
    const found = await read.disk.digest(file)
    if (slot.format !== 'json') return found === digest ? null : otherContent
    const { files } = (await read.reader.json({ cell: file, digest, slot } as CellOutput)) as { files: Record<string, string> }
    return Object.values(files).some((text) => digestOfBytes(text) === found) ? null : otherContent
  } catch (error) {
    return error instanceof CorruptObject ? null : `cannot be read: ${(error as NodeJS.ErrnoException).code ?? (error as Error).message}`
  }
}

const otherContent = 'does not hold what the store holds, though its size and times are as written'

/** Where the cells lie that are shown, by digest. */
function shownCells(store: Store): Map<Digest, Slot> {
  const rows = store.db
    .prepare('SELECT lower(hex(digest)) AS digest, slot FROM cells WHERE digest IN (SELECT unhex(digest) FROM views)')
    .all() as { digest: Digest; slot: string }[]
  return new Map(rows.map(({ digest, slot }) => [digest, storedJson(slot) as Slot]))
}

function damagedView(store: Store, file: string, digest: Digest, detail: string, stillThere: () => Promise<boolean>): Finding {
  const forget = store.db.prepare('DELETE FROM views WHERE path = ? AND digest = ?')
  return {
    what: 'view',
    name: file,
    detail,
    affected: [],
    stillThere,
    mend() {
      forget.run(indexName(store.layout, file), digest)
      return 'forgotten'
    },
  }
}
