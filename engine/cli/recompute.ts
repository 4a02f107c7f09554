import { kinds } from '../../steps/index.ts'
import { prepare } from '../prepare.ts'
import { recomputeText } from '../report/recompute-text.ts'
import { recompute } from '../run/measure/recompute.ts'
import { exitCodes } from './common/exit-codes.ts'
import { sidecarCommand } from './common/places.ts'
import { planAloud } from './common/planning.ts'
import { progressLine } from './common/progress-line.ts'
import { reportProblems } from './common/report-problems.ts'
import type { VerifyFlags } from './verify.ts'
import { openStoreOf } from './common/workspace.ts'

/** Computes `count` stored cells of a workflow again and says how far they lie from what is stored. */
export async function recomputeCells(process: NodeJS.Process, flags: VerifyFlags, file: string, count: number): Promise<void> {
  const sidecar = sidecarCommand(process.env)
  if (!sidecar.ok) return reportProblems(process, [sidecar.error])
  const { store } = openStoreOf(process.stderr, file, flags.store)
  const progress = progressLine(process.stderr, Date.now)
  try {
    const prepared = await prepare(file, kinds, store, { devices: flags.device })
    if (!prepared.ok) return reportProblems(process, prepared.error)
    if (prepared.value.notReady.length > 0) return reportProblems(process, prepared.value.notReady)
    const report = await recompute({
      store,
      plan: planAloud(process.stderr, prepared.value, store).plan,
      isUnchanged: prepared.value.isUnchanged,
      sidecar: sidecar.value,
      count,
      random: Math.random,
      emit: (fact) => fact.type === 'setup' && progress.show(() => fact.text),
      onTask: (done, total) => progress.show(() => `computing again: task ${done + 1} of ${total}`),
    })
    progress.end()
    process.stdout.write(flags.json ? `${JSON.stringify(report)}\n` : recomputeText(report))
    const bad = report.failed.length > 0 || report.cells.some(({ verdict }) => verdict === 'beyond')
    process.exitCode = bad ? exitCodes.failed : exitCodes.done
  } finally {
    progress.end()
    store.close()
  }
}
