import { kinds } from '../../steps/index.ts'
import { prepare } from '../prepare.ts'
import { formatNumberOf } from '../core/format.ts'
import { experimentFolder, folderProblems } from '../run/preflight.ts'
import type { CliContext } from './common/context.ts'
import { reportProblems } from './common/report-problems.ts'
import { openStoreOf } from './common/workspace.ts'

export async function check(this: CliContext, flags: { readonly store?: string }, file: string): Promise<void> {
  const { store, workspace } = openStoreOf(this.process.stderr, file, flags.store)
  try {
    const prepared = await prepare(file, kinds, store)
    if (!prepared.ok) return reportProblems(this.process, prepared.error)
    const { graph, workflow, warnings } = prepared.value
    const notReady = [...prepared.value.notReady, ...folderProblems(experimentFolder(workspace, workflow), graph)]
    reportProblems(this.process, [...warnings, ...notReady])
    this.process.stdout.write(
      `${file}: ${formatNumberOf(workflow.steps.length, 'step')}, ${formatNumberOf(graph.tasks.length, 'task')}${notReady.length > 0 ? '; it can be planned, not run' : ', ready to run'}\n`,
    )
  } finally {
    store.close()
  }
}
