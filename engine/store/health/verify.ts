import { existsSync } from 'node:fs'
import { integrityProblem, objectRows, unitRows } from '../index/check-index.ts'
import type { Finding, MendedDamage } from './damage.ts'
import { storeLayout } from '../files/layout.ts'
import { takeLock } from '../files/lock.ts'
import { setAside } from '../mend.ts'
import { openStore, type Store } from '../store.ts'
import { checkManifests, checkSizes } from './verify-checks.ts'
import { type ReadReport, readObjects } from './verify-data.ts'
import { type CheckedViews, checkViews } from './verify-views.ts'

export interface VerifyOptions {
  /** Share of the bytes that is read: 0 none, 1 all. */
  readonly read: number
  /** Report only. */
  readonly dryRun: boolean
  onProgress(progress: VerifyProgress): void
}

export interface VerifyProgress {
  readonly doing: 'index' | 'manifests' | 'bytes' | 'results'
  readonly done: number
  readonly total: number
}

export interface VerifyReport {
  readonly store: string
  readonly checked: {
    readonly manifests: number
    readonly cells: number
    readonly objects: number
    readonly bytes: number
    readonly results: number
  }
  /** Null when no data was to be read. */
  readonly read: ReadReport | null
  readonly damage: readonly MendedDamage[]
  /** Cells that were found lost earlier and that no run has made again yet. */
  readonly lostCells: number
  readonly results: Pick<CheckedViews, 'gone' | 'edited'>
  /** Who holds the store, so that nothing could be put right. */
  readonly heldBy: string | null
}

/**
 * Checks a store: every manifest and object is there and whole, the index agrees with the manifests, and the results
 * shown are those that the index knows. Damage is looked at again under the store's lock and put right: what the rest
 * of the store can tell is written anew; what it cannot goes to quarantine, and its cells count as lost, so that the
 * next run makes exactly those.
 */
export async function verifyStore(root: string, options: VerifyOptions): Promise<VerifyReport> {
  const { store, damage: ofIndex, heldBy } = openWhole(root, options)
  if (!store) return { ...nothingChecked, store: root, damage: ofIndex, heldBy }
  try {
    return await check(store, ofIndex, options)
  } finally {
    store.close()
  }
}

async function check(store: Store, ofIndex: readonly MendedDamage[], { read, dryRun, onProgress }: VerifyOptions): Promise<VerifyReport> {
  const count = (sql: string) => (store.db.prepare(sql).get() as { count: number }).count
  const units = unitRows(store.db)
  const objects = objectRows(store.db)
  let manifests = 0
  const onManifest = () => onProgress({ doing: 'manifests', done: ++manifests, total: units.length })
  const found: Finding[] = [...checkManifests(store, units, onManifest), ...checkSizes(store, objects)]
  let report: ReadReport | null = null
  if (read > 0) {
    const broken = new Set(found.map(({ name }) => name))
    const whole = objects.filter(({ digest }) => !broken.has(digest))
    const data = await readObjects(store, whole, read, !dryRun, (done, total) => onProgress({ doing: 'bytes', done, total }))
    report = data.report
    found.push(...data.findings)
  }
  const views = await checkViews(store, read === 1, (done, total) => onProgress({ doing: 'results', done, total }))
  const evicted = JSON.stringify([...store.evicted.all])
  const lostCells = (store.db.prepare(lostCellsSql).get(evicted) as { count: number }).count
  const { damage, heldBy } = await mend(store, [...found, ...views.findings], dryRun)
  return {
    store: store.layout.root,
    checked: {
      manifests: units.length,
      cells: count('SELECT count(*) AS count FROM cells'),
      objects: objects.length,
      bytes: objects.reduce((sum, { bytes }) => sum + bytes, 0),
      results: views.checked,
    },
    read: report,
    damage: [...ofIndex, ...damage],
    lostCells,
    results: { gone: views.gone, edited: views.edited },
    heldBy,
  }
}

const lostCellsSql = `WITH lost AS (SELECT unit, lower(hex(object)) AS object FROM unit_objects
    WHERE object NOT IN (SELECT digest FROM objects) AND object NOT IN (SELECT unhex(value) FROM json_each(?)))
  SELECT count(*) AS count FROM lost JOIN cells ON cells.unit = lost.unit AND slot ->> '$.object' = lost.object`

const nothingChecked = {
  checked: { manifests: 0, cells: 0, objects: 0, bytes: 0, results: 0 },
  read: null,
  lostCells: 0,
  results: { gone: 0, edited: [] },
}

/** Puts right what is still wrong once the store is ours; what a run has changed meanwhile is dropped. */
async function mend(
  store: Store,
  findings: readonly Finding[],
  dryRun: boolean,
): Promise<{ damage: MendedDamage[]; heldBy: string | null }> {
  const reported = findings.map((finding) => ({ ...plain(finding), mended: null }))
  if (findings.length === 0 || dryRun) return { damage: reported, heldBy: null }
  const lock = takeLock(store.layout, 'dag verify')
  if (!lock.ok) return { damage: reported, heldBy: lock.error.text }
  try {
    const damage: MendedDamage[] = []
    for (const finding of findings) {
      if (await finding.stillThere()) damage.push({ ...plain(finding), mended: finding.mend() })
    }
    store.db.exec('DELETE FROM standing')
    return { damage, heldBy: null }
  } finally {
    lock.value.release()
  }
}

function plain({ what, name, detail, affected }: Finding): Omit<MendedDamage, 'mended'> {
  return { what, name, detail, affected }
}

/** Opens a store whose index is whole. A damaged index is kept in quarantine and made again from the manifests. */
function openWhole(
  root: string,
  { dryRun, onProgress }: VerifyOptions,
): { store: Store | null; damage: readonly MendedDamage[]; heldBy: string | null } {
  const layout = storeLayout(root)
  const open = () => openStore(root, (progress) => onProgress({ doing: 'index', ...progress }))
  const opened = wholeOrSay(open)
  if (typeof opened !== 'string') return { store: opened, damage: [], heldBy: null }
  const damage: MendedDamage = { what: 'index', name: 'index.db', detail: opened, affected: [], mended: null }
  if (dryRun) return { store: null, damage: [damage], heldBy: null }
  const lock = takeLock(layout, 'dag verify')
  if (!lock.ok) return { store: null, damage: [damage], heldBy: lock.error.text }
  try {
    for (const suffix of ['-wal', '-shm', '']) if (existsSync(layout.index + suffix)) setAside(layout, layout.index + suffix)
    return { store: open(), damage: [{ ...damage, mended: 'rebuilt' }], heldBy: null }
  } finally {
    lock.value.release()
  }
}

/** Every row is looked at: most of the index is kept in memory while that goes on. */
const cacheKib = 256 * 1024

function wholeOrSay(open: () => Store): Store | string {
  try {
    const store = open()
    store.db.exec(`PRAGMA cache_size = -${cacheKib}`)
    const problem = integrityProblem(store.db)
    if (problem === null) return store
    store.close()
    return problem
  } catch (error) {
    if (!isDamagedDatabase(error)) throw error
    return (error as Error).message
  }
}

/** SQLITE_CORRUPT and SQLITE_NOTADB, with their extended codes. */
function isDamagedDatabase(error: unknown): boolean {
  const { errcode } = error as { errcode?: number }
  return errcode !== undefined && [11, 26].includes(errcode & 0xff)
}
