import path from 'node:path'
import { kinds } from '../../steps/index.ts'
import { type Clash, clashIn } from '../../steps/interop/clash.ts'
import { experimentFiles, exportedOperations, withPlaces } from '../../steps/interop/trait-interp.ts'
import type { Diagnostic } from '../core/diagnostic.ts'
import type { ParentTask } from '../core/step-kind.ts'
import type { ExperimentFile } from '../core/experiment.ts'
import type { Plan } from '../plan/plan.ts'
import { prepare } from '../prepare.ts'
import { exportText } from '../report/export-text.ts'
import { beginExport, isExportFolder } from '../run/interop/export-folder.ts'
import { writeExperiment } from '../run/interop/write-experiment.ts'
import type { CliContext } from './common/context.ts'
import { sidecarCommand } from './common/places.ts'
import { planAloud } from './common/planning.ts'
import { progressLine } from './common/progress-line.ts'
import { reportProblems } from './common/report-problems.ts'
import { openStoreOf } from './common/workspace.ts'

export interface ExportFlags {
  readonly store?: string
  readonly to: string
  readonly recordings: boolean
  readonly prune: boolean
}

/** Writes what a workflow made as an experiment of trait-interp. */
export async function exportTraitInterp(this: CliContext, flags: ExportFlags, file: string): Promise<void> {
  const { process } = this
  const sidecar = sidecarCommand(process.env)
  if (!sidecar.ok) return reportProblems(process, [sidecar.error])
  if (!isExportFolder(flags.to)) return reportProblems(process, [notOurs(flags.to)])
  const { store } = openStoreOf(process.stderr, file, flags.store)
  const progress = progressLine(process.stderr, Date.now)
  try {
    const prepared = await prepare(file, kinds, store)
    if (!prepared.ok) return reportProblems(process, prepared.error)
    const { plan } = planAloud(process.stderr, prepared.value, store)
    const tasks = withPlaces(plan.tasks).map(({ task }) => plan.settled(task.id))
    const made = { experiment: path.basename(path.resolve(flags.to)), sources: prepared.value.sources, tasks }
    const clash = clashIn(made)
    if (clash) return reportProblems(process, [sameFile(clash)])
    const all = experimentFiles(made)
    const files = flags.recordings ? all : all.filter(({ is }) => is !== 'recording')
    const folder = path.resolve(flags.to)
    const pathsOf = (of: readonly ExperimentFile[]) => of.map((each) => each.path)
    const former = beginExport(folder, pathsOf(files), new Set(pathsOf(all)), flags.prune)
    await writeExperiment({
      layout: store.layout,
      sidecar: sidecar.value,
      folder,
      files,
      onLog: () => {},
      onFile: (done, total) => progress.show(() => `writing: ${done} of ${total} files`),
    })
    progress.end()
    process.stdout.write(
      exportText(flags.to, {
        written: countsOf(files),
        missing: missing(plan),
        givenUp: flags.recordings ? givenUp(tasks) : 0,
        former: { files: former, pruned: flags.prune },
      }),
    )
  } finally {
    progress.end()
    store.close()
  }
}

function notOurs(folder: string): Diagnostic {
  return {
    severity: 'error',
    rule: 'folder-not-ours',
    message: `${folder} is there and was not written by dag export`,
    hint: 'name a new folder with --to: nothing of yours is written over',
  }
}

function sameFile({ path: file, steps }: Clash): Diagnostic {
  return {
    severity: 'error',
    rule: 'same-file',
    message: `steps "${steps[0]}" and "${steps[1]}" both make ${file}, and an experiment of trait-interp has one`,
    hint: 'export a copy of the workflow without one of them: nothing is computed again',
  }
}

/** Files by the folder that says what they are. */
function countsOf(files: readonly ExperimentFile[]): Readonly<Record<string, number>> {
  const kind = ({ path: name, is }: ExperimentFile) =>
    is === 'recording' ? 'recordings' : is === 'tensor' ? 'vectors' : name.split('/')[2]
  const counts: Record<string, number> = {}
  for (const file of files) {
    const noun = kind(file)
    if (noun === 'recordings' || noun === 'vectors' || noun === 'responses' || noun === 'projections')
      counts[noun] = (counts[noun] ?? 0) + 1
  }
  return counts
}

/** Recordings that are not there to be written, since they were given up after use. */
function givenUp(tasks: readonly ParentTask[]): number {
  const groups = (cells: ParentTask['cells']) => new Set(cells.flatMap(({ spec, output }) => (output?.evicted ? [spec.group] : []))).size
  return tasks.reduce((sum, { cells }) => sum + groups(cells), 0)
}

/** What people count that is not made yet, by noun. */
function missing(plan: Plan): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const { task, toRun } of withPlaces(plan.tasks)) {
    if (toRun === 0 || !exportedOperations.includes(task.operation.name)) continue
    const { noun, by } = task.operation.counts
    const cells = plan.settled(task.id).cells.filter(({ output }) => output === null)
    counts[noun] = (counts[noun] ?? 0) + (by === 'group' ? new Set(cells.map(({ spec }) => spec.group)).size : cells.length)
  }
  return counts
}
