import { setImmediate as othersTurn } from 'node:timers/promises'
import path from 'node:path'
import { digestOfBytes } from '../core/digest.ts'
import type { RunFact } from '../core/events.ts'
import type { CellOutput, Reader, Task, TextFiles } from '../core/step-kind.ts'
import { DamagedIndex } from '../core/system-error.ts'
import type { Plan } from '../plan/plan.ts'
import type { SettledTask } from '../plan/settle.ts'
import { readWhole } from '../store/read.ts'
import { toBlob } from '../store/index/blob.ts'
import type { Store } from '../store/store.ts'
import { type View, type ViewChanges, type ViewFile, ViewRefresh } from '../store/view.ts'

export interface ShownResults extends ViewChanges {
  /** Files to look at first, relative to the experiment's folder. */
  readonly look: readonly string[]
  /** Somebody wanted to stop before all were shown. */
  readonly cut: boolean
}

/** So many files are written before they are remembered, and before anything else of this process has its turn. */
const filesAtOnce = 50

export interface Showing {
  /** Hears after files were written how many of the cells that are shown have been gone through. */
  onShown(cells: number, of: number): void
  /** Whether to leave the rest to the next run. */
  isStopped(): boolean
}

/** Brings the experiment's folder up to date with the tasks that are done, `workflow` as runs record its file. */
export async function showResults(
  store: Store,
  plan: Plan,
  { folder, workflow }: View,
  settled: (id: string) => SettledTask,
  read: Reader,
  { onShown, isStopped }: Showing,
): Promise<ShownResults> {
  const view = new ViewRefresh(store, { folder, workflow })
  const tasks = plan.tasks.filter(({ task }) => task.operation.folder)
  const all = tasks.reduce((sum, { cells }) => sum + cells, 0)
  const look: string[] = []
  const contents = contentsOf(store, read)
  let complete = true
  let cells = 0
  let files: ViewFile[] = []
  const show = async (): Promise<void> => {
    const written = await view.show(files)
    files = []
    if (written === 0) return
    onShown(cells, all)
    await othersTurn()
  }
  for (const { task, deep } of tasks) {
    const { headline } = task.operation
    const { isDone, entries } = entriesOf(store, task, deep, settled, contents)
    complete &&= isDone
    for await (const ofCell of entries) {
      cells++
      files.push(...ofCell.map((entry) => ({ ...entry, content: () => contents.content(entry, settled(task.id)) })))
      const first = headline && ofCell.find((entry) => entry.name === headline)
      if (first) look.push(first.path)
      if (files.length >= filesAtOnce) await show()
      if (isStopped()) return { ...view.end(false), look, cut: true }
    }
  }
  await show()
  return { ...view.end(complete), look, cut: false }
}

export const nothingShown: ShownResults = { written: 0, removed: 0, keptAside: [], writtenOver: {}, look: [], cut: false }

/** Seconds between two words on how far the showing of results is: many take minutes. */
const tellsEvery = 5

/** Says now and then how far `showResults` is. */
export function howFar(emit: (event: RunFact) => void, now: () => number): Showing['onShown'] {
  let last = now()
  return (cells, of) => {
    if (now() - last < tellsEvery * 1000) return
    last = now()
    emit({ type: 'setup', text: `showing results: ${cells} of ${of}` })
  }
}

/** What became of results that were shown before. */
export function notesOf({ keptAside, removed, writtenOver }: ShownResults, experiment: string): string[] {
  const folder = path.join('experiments', experiment)
  return [
    ...keptAside.map((aside) => `a result was edited by hand; the edited file is kept as ${aside}`),
    ...Object.entries(writtenOver).map(
      ([workflow, count]) =>
        `results of ${path.basename(workflow)} in ${folder} were written over: ${count}; where both are in use, give one another \`experiment:\``,
    ),
    ...(removed > 0 ? [`results that the workflow no longer makes were removed from ${folder}: ${removed}`] : []),
  ]
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

/** The entries of a task, cell by cell; there are none while it is not done. */
function entriesOf(
  store: Store,
  task: Task,
  deep: string,
  settled: (id: string) => SettledTask,
  contents: Contents,
): { readonly isDone: boolean; readonly entries: AsyncIterable<Entry[]> | Iterable<Entry[]> } {
  const row = store.db.prepare('SELECT view FROM done WHERE deep = ?').get(toBlob(deep)) as { view: string | null } | undefined
  const remembered = row?.view ? unsealed(row.view) : null
  if (remembered) return { isDone: true, entries: Map.groupBy(remembered, ({ cell }) => cell).values() }
  const isDone = row !== undefined && settled(task.id).cells.every(({ output }) => output !== null)
  return { isDone, entries: isDone ? freshEntries(store, task, deep, settled(task.id), contents) : [] }
}

/** Looks into the cells, and remembers beside the task's deep key what was found, so that a no-op reads no object. */
async function* freshEntries(store: Store, task: Task, deep: string, settled: SettledTask, contents: Contents): AsyncGenerator<Entry[]> {
  const found: Entry[] = []
  for (const { spec, output } of settled.cells) {
    const { slot, digest } = output as CellOutput
    const folder = task.operation.folder?.(task, spec) as string
    const names = slot.format === 'json' ? await contents.names(output as CellOutput) : [spec.own?.file as string]
    const entries = names.map((name) => ({ path: `${folder}/${name}`, name, cell: spec.id, digest }))
    found.push(...entries)
    yield entries
  }
  store.db.prepare('UPDATE done SET view = ? WHERE deep = ?').run(sealed(found), toBlob(deep))
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

/** What the files of a view hold. The cell that was read last is kept, since a cell's files are shown one after another. */
interface Contents {
  /** Of the text files in a cell. */
  names(output: CellOutput): Promise<string[]>
  content(entry: Entry, settled: SettledTask): Promise<string | Uint8Array>
}

function contentsOf(store: Store, read: Reader): Contents {
  let last: { readonly digest: string; readonly files: Readonly<Record<string, string>> } | null = null
  const filesOf = async (output: CellOutput): Promise<Readonly<Record<string, string>>> => {
    if (last?.digest !== output.digest) {
      const { files } = (await read.json(output)) as unknown as TextFiles
      last = { digest: output.digest, files }
    }
    return last.files
  }
  return {
    names: async (output) => Object.keys(await filesOf(output)),
    async content({ cell, name }, settled) {
      const output = settled.cell(cell)?.output
      if (!output) throw new DamagedIndex(`cell ${cell} of ${settled.task.id} is not there`)
      return output.slot.format === 'json' ? ((await filesOf(output))[name] as string) : readWhole(store.layout, output)
    },
  }
}
