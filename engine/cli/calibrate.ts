import { writeFileSync } from 'node:fs'
import { kinds } from '../../steps/index.ts'
import type { Diagnostic } from '../core/diagnostic.ts'
import { fail, ok, type Result } from '../core/result.ts'
import { calibratedSpeeds, type Trial, trialsOf } from '../plan/calibration.ts'
import { measuredModel } from '../plan/profile.ts'
import { prepare } from '../prepare.ts'
import { calibrationReport, calibrationText } from '../report/calibrate-text.ts'
import { calibrate } from '../run/measure/calibrate.ts'
import { recordCalibration } from '../run/record.ts'
import { isOfSidecar } from '../run/executors/sidecar-errors.ts'
import { takeLock } from '../store/files/lock.ts'
import type { Store } from '../store/store.ts'
import type { CliContext } from './common/context.ts'
import { exitCodes } from './common/exit-codes.ts'
import { sidecarCommand } from './common/places.ts'
import { progressLine } from './common/progress-line.ts'
import { reportProblems } from './common/report-problems.ts'
import { openStoreOf } from './common/workspace.ts'

interface CalibrateFlags {
  readonly store?: string
  readonly out?: string
  readonly device?: readonly string[]
  readonly json: boolean
}

/** Measures this machine with the models of a workflow, or its disk alone, for the forecasts to come. */
export async function calibrateMachine(this: CliContext, flags: CalibrateFlags, file?: string): Promise<void> {
  const sidecar = sidecarCommand(this.process.env)
  if (!sidecar.ok) return reportProblems(this.process, [sidecar.error])
  const { store } = openStoreOf(this.process.stderr, file ?? './.', flags.store)
  const progress = progressLine(this.process.stderr, Date.now)
  try {
    const trials = await trialsIn(file, store, flags.device)
    if (!trials.ok) return reportProblems(this.process, trials.error)
    if (flags.out !== undefined && trials.value.length !== 1) return reportProblems(this.process, [oneModel(trials.value)])
    const lock = takeLock(store.layout, 'calibrate')
    if (!lock.ok) return reportProblems(this.process, [inUse(store.layout.root, lock.error.text)])
    try {
      const onStep = (text: string) => progress.show(() => text)
      const found = await calibrate({ layout: store.layout, sidecar: sidecar.value, trials: trials.value, onStep })
      for (const { model, figures } of found.models) recordCalibration(store, measuredModel(model), figures)
      recordCalibration(store, measuredModel(undefined), found.disk)
      progress.end()
      if (flags.out !== undefined) writeFileSync(flags.out, `${JSON.stringify(calibratedSpeeds(found), null, 2)}\n`)
      const report = calibrationReport(found)
      this.process.stdout.write(flags.json ? `${JSON.stringify(report)}\n` : calibrationText(report))
    } finally {
      lock.value.release()
    }
  } catch (error) {
    if (!isOfSidecar(error)) throw error
    reportProblems(this.process, [{ severity: 'error', rule: 'sidecar', message: error.message }])
    this.process.exitCode = exitCodes.failed
  } finally {
    progress.end()
    store.close()
  }
}

async function trialsIn(
  file: string | undefined,
  store: Store,
  devices: readonly string[] | undefined,
): Promise<Result<readonly Trial[], readonly Diagnostic[]>> {
  if (file === undefined) return ok([])
  const prepared = await prepare(file, kinds, store, { devices })
  if (!prepared.ok) return prepared
  const { graph, sources, notReady } = prepared.value
  return notReady.length > 0 ? fail(notReady) : ok(trialsOf(graph, sources))
}

function oneModel(trials: readonly Trial[]): Diagnostic {
  const message = `a profile is of one model, and here are ${trials.length}`
  return { severity: 'error', rule: 'usage', message, hint: 'name a workflow with one model, or leave --out away' }
}

function inUse(root: string, holder: string): Diagnostic {
  return {
    severity: 'error',
    rule: 'locked',
    message: `the store ${root} is in use by ${holder}`,
    hint: 'beside a run nothing can be measured: wait for it',
  }
}
