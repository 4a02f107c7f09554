import { readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { downstream, type LineageNode, upstream } from '../lineage/lineage.ts'
import { findCell, namedBy } from '../lineage/find.ts'
import { lineageText } from '../report/lineage-text.ts'
import type { Store } from '../store/store.ts'
import type { CliContext } from './context.ts'
import { reportProblems } from './report-problems.ts'
import { openStoreOf } from './workspace.ts'

export interface LineageFlags {
  readonly store?: string
  readonly json: boolean
  readonly down: boolean
}

export async function lineage(this: CliContext, flags: LineageFlags, artifact: string): Promise<void> {
  const { store, workspace } = openStoreOf(path.join(artifact.replace(/:\d+$/, '')), flags.store)
  try {
    const found = findCell(store, artifact, readFile)
    if (!found.ok) {
      const hint = 'name a result file (file or file:line), task:cell as `dag plan` and `dag why` print them, or the first digits of a key'
      return reportProblems(this.process, [{ severity: 'error', rule: 'unknown-artifact', message: found.error, hint }])
    }
    const { key, line } = found.value
    const nodes = flags.down ? downstream(store, key) : upstream(store, key, namedBy(line))
    const files = (node: LineageNode) => viewsOf(store, workspace, node)
    const data = { artifact, direction: flags.down ? 'down' : 'up', nodes: nodes.map((node) => ({ ...node, files: files(node) })) }
    this.process.stdout.write(flags.json ? `${JSON.stringify(data)}\n` : lineageText(data.nodes, flags.down))
  } finally {
    store.close()
  }
}

/** Result files of this workspace that show a cell. */
function viewsOf(store: Store, workspace: string, node: LineageNode): string[] {
  const rows = store.db.prepare('SELECT path FROM views WHERE digest = ?').all(node.digest) as { path: string }[]
  return rows.filter((row) => row.path.startsWith(`${workspace}${path.sep}`)).map((row) => path.relative('.', row.path))
}

function readFile(file: string): string | null {
  return statSync(file, { throwIfNoEntry: false })?.isFile() ? readFileSync(file, 'utf8') : null
}
