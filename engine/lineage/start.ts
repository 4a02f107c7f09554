import path from 'node:path'
import type { Digest } from '../core/digest.ts'
import { fail, ok, type Result } from '../core/result.ts'
import { readRunSources, type SourceRecord } from '../store/runs/run-sources.ts'
import { toHex } from '../store/index/blob.ts'
import type { Store } from '../store/store.ts'
import { storedJson } from '../store/index/stored-json.ts'
import type { Components } from '../core/step-kind.ts'
import { findCell } from './find.ts'
import type { Line } from './line.ts'
import { textAt } from './sources.ts'

/** The cells that a person's words name, and what they are. */
export interface Start {
  /** `adapter alpha`, `task vectors/kind`; null for a single cell. */
  readonly what: string | null
  /** Which revision of it, and the others that the store holds cells of. */
  readonly revision: string | null
  readonly others: readonly string[]
  /** Keys, each with the batch it lies in. */
  readonly cells: ReadonlyMap<Digest, number>
  /** The line of a result that was pointed at. */
  readonly line: Line | null
}

const kinds: ReadonlyMap<string, readonly SourceRecord['kind'][]> = new Map([
  ['adapter', ['adapter']],
  ['organism', ['adapter']],
  ['model', ['model']],
  ['prompt', ['prompt-set']],
  ['prompt-set', ['prompt-set']],
  ['trait', ['trait']],
  ['file', ['file']],
])

/**
 * Finds what a person names: a source (`adapter:alpha`, with `@` and the first digits of a revision; `model:`,
 * `prompt:SET/ID`, `prompt-set:`, `trait:`, or its file), a task or step, a cell, a result file, a key.
 */
export function findStart(store: Store, artifact: string, readFile: (file: string) => string | null): Result<Start, string> {
  const [, kind, rest] = /^([a-z-]+):(.+)$/.exec(artifact) ?? []
  const wanted = kinds.get(kind ?? '')
  if (kind !== undefined && wanted && rest !== undefined && !isTask(store, kind)) return ofSource(store, kind, wanted, rest)
  const cell = findCell(store, artifact, readFile)
  if (cell.ok) {
    const { unit } = store.find(cell.value.key) ?? { unit: 0 }
    return ok({ what: null, revision: null, others: [], cells: new Map([[cell.value.key, unit]]), line: cell.value.line })
  }
  const tasks = tasksNamed(store, artifact.replace(/\/(…|\*)?$/, ''))
  if (tasks.length > 0) return ok(whole(`${tasks.length === 1 ? 'task' : 'tasks'} ${artifact}`, cellsOfTasks(store, tasks)))
  return ofFile(store, artifact) ?? cell
}

function whole(what: string, cells: ReadonlyMap<Digest, number>): Start {
  return { what, revision: null, others: [], cells, line: null }
}

function ofSource(store: Store, kind: string, wanted: readonly SourceRecord['kind'][], text: string): Result<Start, string> {
  const [name, revision] = text.split('@') as [string, string | undefined]
  const [set, prompt] = kind === 'prompt' ? promptName(name) : [name, null]
  const records = readRunSources(store.layout).filter((record) => wanted.includes(record.kind) && (set === null || record.name === set))
  if (records.length === 0) return fail(`no run of this store has read the ${kind} "${name}"`)
  if (kind === 'prompt') {
    const cells = cellsOfTasks(store, tasksOf(records), () => true, prompt)
    return cells.size > 0 ? ok(whole(`prompt ${name}`, cells)) : fail(`no run of this store has read the prompt "${name}"`)
  }
  return atRevision(store, `${kind} ${name}`, records, revision)
}

/** `one/p-12` or `p-12`: the prompt, of that set or of any. */
function promptName(name: string): [string | null, string] {
  const slash = name.indexOf('/')
  return slash < 0 ? [null, name] : [name.slice(0, slash), name.slice(slash + 1)]
}

/** A source's cells at one revision: the one that is named, else the latest that a run has read. */
function atRevision(store: Store, what: string, records: readonly SourceRecord[], digits: string | undefined): Result<Start, string> {
  const components = [...new Set(records.flatMap(({ component }) => component ?? []))]
  if (components.length === 0) return ok(whole(what, cellsOfTasks(store, tasksOf(records))))
  const revisionIn = (shared: Components) =>
    components.map((component) => textAt(shared, component)).find((value) => value !== null) ?? null
  const made = new Set<string>()
  const tasks = tasksOf(records)
  for (const { shared } of unitsOf(store, tasks)) {
    const revision = revisionIn(storedJson(shared) as Components)
    if (revision !== null) made.add(revision)
  }
  const latest = records[0]?.revision ?? null
  const matching = digits === undefined ? [latest] : [...made].filter((value) => value.startsWith(digits))
  const [revision] = matching
  if (revision === undefined || revision === null)
    return fail(`the store holds nothing of a revision of ${what} that begins with ${digits}`)
  if (matching.length > 1) return fail(`"${digits}" is the beginning of several revisions of ${what}; write more of it`)
  const cells = cellsOfTasks(store, tasks, (shared) => revisionIn(shared) === revision)
  return ok({ what, revision, others: [...made].filter((value) => value !== revision), cells, line: null })
}

/** What was read from a file, or from a folder that it lies in. */
function ofFile(store: Store, file: string): Result<Start, string> | null {
  const at = path.relative(store.layout.root, path.resolve(file))
  const within = (record: SourceRecord) => record.file !== null && (record.file === at || at.startsWith(`${record.file}${path.sep}`))
  const records = readRunSources(store.layout).filter(within)
  const [first] = records
  return first
    ? atRevision(
        store,
        `${first.kind} ${first.name}`,
        records.filter(({ kind }) => kind === first.kind),
        undefined,
      )
    : null
}

function tasksOf(records: readonly SourceRecord[]): string[] {
  return [...new Set(records.flatMap(({ tasks }) => tasks))]
}

interface UnitRow {
  readonly id: number
  readonly shared: string
}

function unitsOf(store: Store, tasks: readonly string[]): UnitRow[] {
  const find = store.db.prepare('SELECT id, shared FROM units WHERE task = ?')
  return tasks.flatMap((task) => find.all(task) as unknown as UnitRow[])
}

/** Cells of tasks, of all their batches or those with certain shared parts; of all cells or the one of a name. */
function cellsOfTasks(
  store: Store,
  tasks: readonly string[],
  picks: (shared: Components) => boolean = () => true,
  cell: string | null = null,
): Map<Digest, number> {
  const find = store.db.prepare(`SELECT key FROM cells WHERE unit = ?${cell === null ? '' : ' AND cell = ?'}`)
  const picked = new Map<string, boolean>()
  const isPicked = (shared: string): boolean => {
    let known = picked.get(shared)
    if (known === undefined) picked.set(shared, (known = picks(storedJson(shared) as Components)))
    return known
  }
  const cells = new Map<Digest, number>()
  for (const { id, shared } of unitsOf(store, tasks)) {
    if (!isPicked(shared)) continue
    for (const row of find.all(id, ...(cell === null ? [] : [cell])) as { key: Uint8Array }[]) cells.set(toHex(row.key), id)
  }
  return cells
}

function isTask(store: Store, name: string): boolean {
  return store.db.prepare('SELECT 1 FROM units WHERE task = ? LIMIT 1').get(name) !== undefined
}

/** The task of a name, and those below it: `vectors` has `vectors/kind`. */
function tasksNamed(store: Store, name: string): string[] {
  const rows = store.db
    .prepare("SELECT DISTINCT task FROM units WHERE task = ? OR (task >= ? || '/' AND task < ? || '0')")
    .all(name, name, name)
  return (rows as { task: string }[]).map(({ task }) => task)
}
