import { kinds } from '../../steps/index.ts'
import { suggestion } from '../core/names.ts'
import { changeText, explainCell, type Verdict } from '../lineage/why.ts'
import { prepare } from '../prepare.ts'
import { planNow } from '../run/session.ts'
import type { CliContext } from './context.ts'
import { reportProblems } from './report-problems.ts'
import { openStoreOf } from './workspace.ts'

export interface WhyFlags {
  readonly store?: string
  readonly json: boolean
}

export async function why(this: CliContext, flags: WhyFlags, file: string, name: string): Promise<void> {
  const { store } = openStoreOf(file, flags.store)
  try {
    const prepared = await prepare(file, kinds, store)
    if (!prepared.ok) return reportProblems(this.process, prepared.error)
    const { workflow, graph } = prepared.value
    const colon = name.indexOf(':')
    const id = colon < 0 ? name : name.slice(0, colon)
    const task = graph.byId.get(id)
    if (!task) {
      const hint = suggestion(id, [...graph.byId.keys()])
      return reportProblems(this.process, [
        { severity: 'error', rule: 'unknown-task', message: `the workflow has no task "${id}"`, ...(hint ? { hint } : {}) },
      ])
    }
    const { plan } = planNow(prepared.value, store)
    const all = plan.settled(id).cells
    const cells = colon < 0 ? all : all.filter((cell) => cell.spec.id === name.slice(colon + 1))
    if (cells.length === 0) {
      const hint = suggestion(
        name.slice(colon + 1),
        all.map((cell) => cell.spec.id),
      )
      return reportProblems(this.process, [
        {
          severity: 'error',
          rule: 'unknown-cell',
          message: `task "${id}" has no cell "${name.slice(colon + 1)}"`,
          ...(hint ? { hint } : {}),
        },
      ])
    }
    const verdicts = cells.map((cell) => ({ cell: cell.spec.id, ...explainCell(store, plan, workflow.name, task, cell) }))
    this.process.stdout.write(flags.json ? `${JSON.stringify({ task: id, cells: verdicts })}\n` : whyText(id, verdicts))
  } finally {
    store.close()
  }
}

/** Cells of the same verdict together, the ones that must run first. */
function whyText(task: string, verdicts: readonly (Verdict & { cell: string })[]): string {
  const groups = new Map<string, string[]>()
  for (const verdict of verdicts) {
    const text = verdictText(verdict)
    groups.set(text, [...(groups.get(text) ?? []), verdict.cell])
  }
  const lines = [...groups].map(([text, cells]) => {
    const named = cells.slice(0, 3).join(', ')
    return `  ${cells.length} ${cells.length === 1 ? 'cell' : 'cells'} (${named}${cells.length > 3 ? ', …' : ''}): ${text}`
  })
  return `${task}\n${lines.join('\n')}\n`
}

function verdictText(verdict: Verdict): string {
  switch (verdict.verdict) {
    case 'up-to-date':
      return `up to date, made in run ${verdict.run}`
    case 'lost':
      return 'unchanged, but lost from the store: it is made again'
    case 'new':
      return 'not made before'
    case 'waits':
      return `its inputs are made again: ${verdict.parents.slice(0, 4).join(', ')}${verdict.parents.length > 4 ? ', …' : ''}; whether it runs is known when they are there`
    case 'changed':
      return `key changed since run ${verdict.run}:\n${verdict.changes.map((change) => `      ${changeText(change)}`).join('\n')}`
  }
}
