import { digestOfBytes } from '../core/digest.ts'
import type { Reader, Task } from '../core/step-kind.ts'
import { DamagedIndex } from '../core/system-error.ts'
import type { Plan } from '../plan/plan.ts'
import type { SettledTask } from '../plan/settle.ts'
import { readWhole } from '../store/read.ts'
import { toBlob } from '../store/blob.ts'
import type { Store } from '../store/store.ts'
import { refreshView, type View, type ViewChanges, type ViewFile } from '../store/view.ts'

export interface ShownResults extends ViewChanges {
  /** Files to look at first, relative to the experiment's folder. */
  readonly look: readonly string[]
}

/** Brings the experiment's folder up to date with the tasks that are done, `workflow` as runs record its file. */
export async function showResults(
  store: Store,
  plan: Plan,
  { folder, workflow }: Pick<View, 'folder' | 'workflow'>,
  settled: (id: string) => SettledTask,
  read: Reader,
): Promise<ShownResults> {
  const files: ViewFile[] = []
  const look: string[] = []
  const content = contents(store, read)
  let complete = true
  for (const { task, deep } of plan.tasks) {
    if (!task.operation.folder) continue
    const entries = await entriesOf(store, task, deep, settled, read)
    if (!entries) {
      complete = false
      continue
    }
    for (const entry of entries) {
      files.push({ path: entry.path, digest: entry.digest, content: () => content(entry, settled(task.id)) })
    }
    const { headline } = task.operation
    const first = headline && entries.find((entry) => entry.name === headline)
    if (first) look.push(first.path)
  }
  return { ...(await refreshView(store, { folder, workflow, files, complete })), look }
}

/** One file of a view: where it is shown, and which file of which cell it is. */
interface Entry {
  readonly path: string
  readonly name: string
  readonly cell: string
  readonly digest: string
}

/** Files in which a task's results are shown, as remembered when it was done. */
export function shownFiles(store: Store): (deep: string) => readonly { readonly path: string; readonly name: string }[] {
  const find = store.db.prepare('SELECT view FROM done WHERE deep = ?')
  return (deep) => {
    const row = find.get(toBlob(deep)) as { view: string | null } | undefined
    return row?.view ? (unsealed(row.view) ?? []) : []
  }
}

/** The entries of a task, remembered beside its deep key, so that a no-op reads no object. Null while it is not done. */
async function entriesOf(
  store: Store,
  task: Task,
  deep: string,
  settled: (id: string) => SettledTask,
  read: Reader,
): Promise<Entry[] | null> {
  const row = store.db.prepare('SELECT view FROM done WHERE deep = ?').get(toBlob(deep)) as { view: string | null } | undefined
  if (!row) return null
  const remembered = row.view === null ? null : unsealed(row.view)
  if (remembered) return remembered
  const entries: Entry[] = []
  for (const { spec, output } of settled(task.id).cells) {
    if (output === null) return null
    const folder = task.operation.folder?.(task, spec) as string
    const names = output.slot.format === 'json' ? Object.keys(await textFiles(output, read)) : [spec.own?.file as string]
    for (const name of names) entries.push({ path: `${folder}/${name}`, name, cell: spec.id, digest: output.digest })
  }
  store.db.prepare('UPDATE done SET view = ? WHERE deep = ?').run(sealed(entries), toBlob(deep))
  return entries
}

/** Entries say where files are shown, and nothing else tells when the disk has changed a name in them: a digest goes with them. */
function sealed(entries: readonly Entry[]): string {
  const text = JSON.stringify(entries)
  return `${digestOfBytes(text)} ${text}`
}

/** Null when they are not as they were written. */
function unsealed(row: string): Entry[] | null {
  const at = row.indexOf(' ')
  const text = row.slice(at + 1)
  return digestOfBytes(text) === row.slice(0, at) ? (JSON.parse(text) as Entry[]) : null
}

/** Gives what a file of a view holds. The cell that was read last is kept, since a cell's files are shown one after another. */
function contents(store: Store, read: Reader): (entry: Entry, settled: SettledTask) => Promise<string | Uint8Array> {
  let last: { readonly digest: string; readonly files: Readonly<Record<string, string>> } | null = null
  return async (entry, settled) => {
    const output = settled.cell(entry.cell)?.output
    if (!output) throw new DamagedIndex(`cell ${entry.cell} of ${settled.task.id} is not there`)
    if (output.slot.format !== 'json') return readWhole(store.layout, output)
    if (last?.digest !== output.digest) last = { digest: output.digest, files: await textFiles(output, read) }
    return last.files[entry.name] as string
  }
}

async function textFiles(output: Parameters<Reader['json']>[0], read: Reader): Promise<Record<string, string>> {
  return ((await read.json(output)) as unknown as { files: Record<string, string> }).files
}
