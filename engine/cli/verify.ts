import { formatBytes, formatCount } from '../core/format.ts'
import { verifyText } from '../report/verify-text.ts'
import { type VerifyProgress, verifyStore } from '../store/health/verify.ts'
import type { CliContext } from './common/context.ts'
import { exitCodes } from './common/exit-codes.ts'
import { progressLine } from './common/progress-line.ts'
import { recomputeCells } from './recompute.ts'
import { reportProblems } from './common/report-problems.ts'
import { storeHere } from './common/store-here.ts'

export interface VerifyFlags {
  readonly store?: string
  readonly json: boolean
  readonly readData: boolean
  /** Share of the bytes, above 0 and up to 1. */
  readonly readDataSubset?: number
  readonly dryRun: boolean
  /** Cells that are computed again, in place of reading the store. */
  readonly recompute?: number
  readonly device?: readonly string[]
}

export async function verify(this: CliContext, flags: VerifyFlags, workflow?: string): Promise<void> {
  const mismatch = (workflow === undefined) !== (flags.recompute === undefined)
  const message = mismatch ? togetherOnly : flags.device && workflow === undefined ? '--device goes with --recompute' : null
  if (message) return reportProblems(this.process, [{ severity: 'error', rule: 'usage', message, hint: togetherHint }])
  if (workflow !== undefined && flags.recompute !== undefined) return recomputeCells(this.process, flags, workflow, flags.recompute)
  const root = storeHere(flags.store)
  if (!root.ok) return reportProblems(this.process, root.error)
  const progress = progressLine(this.process.stderr, Date.now)
  const report = await verifyStore(root.value, {
    read: flags.readDataSubset ?? (flags.readData ? 1 : 0),
    dryRun: flags.dryRun,
    onProgress: (at) => progress.show(() => progressText(at)),
  })
  progress.end()
  this.process.stdout.write(flags.json ? `${JSON.stringify(report)}\n` : verifyText(report))
  this.process.exitCode = report.damage.length > 0 ? exitCodes.failed : exitCodes.done
}

const togetherOnly = '--recompute and a workflow go together'
const togetherHint = 'write `dag verify --recompute 20 WORKFLOW`, or neither of them to check the store'

function progressText({ doing, done, total }: VerifyProgress): string {
  const share = `${Math.floor((100 * done) / Math.max(1, total))} %`
  return doing === 'bytes'
    ? `reading: ${formatBytes(done)} of ${formatBytes(total)} (${share})`
    : `${doing}: ${formatCount(done)} of ${formatCount(total)} (${share})`
}
