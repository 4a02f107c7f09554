import { readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import type { Digest } from '../core/digest.ts'
import { byMaker, byOperation, filesShowing, lineageReader } from '../lineage/lineage.ts'
import { type ProvNode, provDocument } from '../lineage/prov.ts'
import { type Input, lookUp, type Reached, reachDown, reachUp } from '../lineage/reach.ts'
import { narrowingTo } from '../lineage/narrowing.ts'
import { provSources } from '../lineage/sources.ts'
import { findStart, type Start } from '../lineage/start.ts'
import { downText, type LineageReport, type ShownNode, upText } from '../report/lineage-text.ts'
import { readRunSources } from '../store/runs/run-sources.ts'
import type { Store } from '../store/store.ts'
import type { CliContext } from './common/context.ts'
import { reportProblems } from './common/report-problems.ts'
import { openStoreOf } from './common/workspace.ts'

export interface LineageFlags {
  readonly store?: string
  readonly json: boolean
  readonly down: boolean
  readonly details: boolean
  readonly format: 'text' | 'prov'
}

const hint = `name a result file (file or file:line), a task or task:cell as \`dag plan\` and \`dag why\` print them, a source (adapter:NAME, model:NAME, prompt:SET/ID, trait:NAME, or its file), or the first digits of a key`

/** Cells of a lineage larger than this are listed in JSON only where every one is asked for. */
const listedCells = 5000

export async function lineage(this: CliContext, flags: LineageFlags, artifact: string): Promise<void> {
  const { store, workspace } = openStoreOf(this.process.stderr, path.join(artifact.replace(/:\d+$/, '')), flags.store)
  try {
    const start = findStart(store, artifact, readFile)
    if (!start.ok) return reportProblems(this.process, [{ severity: 'error', rule: 'unknown-artifact', message: start.error, hint }])
    const reached = reach(store, start.value, flags.down)
    const reader = lineageReader(store)
    const files = filesShowing(store, reader, reached)
    const node = (key: Digest): ShownNode | null => {
      const found = reader.node(key)
      const shown = (files.get(key) ?? []).filter((file) => file.startsWith(`${workspace}${path.sep}`))
      return found && { ...found, files: shown.map((file) => path.relative('.', file)) }
    }
    const nodes = () => [...reached.keys()].flatMap((key) => node(key) ?? [])
    const { stdout } = this.process
    if (flags.format === 'prov') {
      const entities = nodes().map((each): ProvNode => ({ ...each, batch: reader.batch((reached.get(each.key) as Reached).unit) }))
      stdout.write(`${JSON.stringify(provDocument(entities, provSources(entities, readRunSources(store.layout))))}\n`)
      return
    }
    const { cells, what, revision, others } = start.value
    const further = byOperation(reader, new Map([...reached].filter(([key]) => !cells.has(key))))
    const report: LineageReport = {
      artifact,
      direction: flags.down ? 'down' : 'up',
      what,
      revision,
      otherRevisions: others,
      makers: byMaker(reader, reached),
      start: cells.size,
      counts: further.map(({ operation, keys, tasks }) => ({ operation, cells: keys.length, tasks })),
      shown: [...files.keys()].flatMap((key) => shownResult(node(key))).sort((a, b) => (a.files.join() < b.files.join() ? -1 : 1)),
    }
    if (flags.json) {
      const listed = flags.details || reached.size <= listedCells ? nodes() : null
      stdout.write(`${JSON.stringify({ ...report, nodes: listed })}\n`)
      return
    }
    const shown = { start: new Set(cells.keys()), groups: byOperation(reader, reached), node }
    stdout.write(flags.down ? downText(report, shown, flags.details) : upText(report, shown, flags.details))
  } finally {
    store.close()
  }
}

function reach(store: Store, { cells, line }: Start, down: boolean): Map<Digest, Reached> {
  if (down) return new Map([...lookUp(store, cells), ...reachDown(store, cells)])
  const { isDone, pick } = narrowingTo(line)
  const reader = lineageReader(store)
  const named = (input: Input) => ({ ...input, task: reader.unit(input.unit).task, operation: reader.unit(input.unit).operation })
  return reachUp(store, cells.keys(), { isDone, pick: (level) => pick(level.map(named)) })
}

function shownResult(node: ShownNode | null): LineageReport['shown'] {
  return node && node.files.length > 0 ? [{ task: node.task, cell: node.cell, run: node.run, files: node.files }] : []
}

function readFile(file: string): string | null {
  return statSync(file, { throwIfNoEntry: false })?.isFile() ? readFileSync(file, 'utf8') : null
}
