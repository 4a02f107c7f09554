import { buildApplication, buildRouteMap, run, text_en } from '@stricli/core'
import { formatDiagnostic } from '../core/diagnostic.ts'
import { systemProblem } from '../core/system-error.ts'
import { isOfSidecar } from '../run/executors/sidecar-errors.ts'
import type { CliContext } from './common/context.ts'
import { exitCodes } from './common/exit-codes.ts'
import { guardOutput } from './common/output.ts'
import {
  acceptCommand,
  doctorCommand,
  exportTraitInterpCommand,
  gcCommand,
  importTraitInterpCommand,
  verifyCommand,
} from './store-commands.ts'
import {
  attachCommand,
  calibrateCommand,
  checkCommand,
  fetchCommand,
  kindsCommand,
  lineageCommand,
  planCommand,
  runCommand,
  showCommand,
  watchCommand,
  whyCommand,
} from './workflow-commands.ts'

const root = buildRouteMap({
  routes: {
    run: runCommand,
    plan: planCommand,
    calibrate: calibrateCommand,
    why: whyCommand,
    show: showCommand,
    lineage: lineageCommand,
    kinds: kindsCommand,
    check: checkCommand,
    fetch: fetchCommand,
    watch: watchCommand,
    attach: attachCommand,
    verify: verifyCommand,
    export: buildRouteMap({
      routes: { 'trait-interp': exportTraitInterpCommand },
      docs: { brief: 'Write what a workflow made in the layout of another tool' },
    }),
    import: buildRouteMap({
      routes: { 'trait-interp': importTraitInterpCommand },
      docs: { brief: 'Take what another tool made, as far as it can be trusted' },
    }),
    gc: gcCommand,
    doctor: doctorCommand,
    accept: acceptCommand,
  },
  docs: {
    brief: 'Declarative workflows for interpretability: organisms × prompt sets × layers, cached cell by cell',
    fullDescription:
      'A workflow is a YAML file. `dag run` does what is not up to date and is safe to stop and run again.\nExit codes: 0 done, 1 something failed, 2 usage or workflow error, 3 internal error, 75 stopped and resumable, 130 interrupted.',
  },
})

const application = buildApplication(root, {
  name: 'dag',
  versionInfo: { currentVersion: process.env.DAG_VERSION ?? 'not built' },
  scanner: { caseStyle: 'allow-kebab-for-camel', allowArgumentEscapeSequence: true },
  localization: {
    text: {
      ...text_en,
      exceptionWhileRunningCommand: (error, ansi) => knownProblem(error) ?? text_en.exceptionWhileRunningCommand(error, ansi),
    },
  },
  determineExitCode: (error) => (knownProblem(error) ? exitCodes.failed : exitCodes.internal),
})

/** What the machine refused, or the sidecar, is told in a few words; a mistake of the program's with where it happened. */
function knownProblem(error: unknown): string | null {
  if (isOfSidecar(error)) return formatDiagnostic({ severity: 'error', rule: 'sidecar', message: error.message })
  const problem = systemProblem(error)
  return problem && formatDiagnostic({ severity: 'error', rule: 'system', ...problem })
}

/** What `dag --help` prints. The build keeps it beside the program, which then answers without being loaded. */
export async function helpText(colored: boolean): Promise<string> {
  let text = ''
  const stream = { write: (part: string) => (text += part), getColorDepth: () => (colored ? 24 : 1) }
  await run(application, ['--help'], { process: { stdout: stream, stderr: stream, env: {} } } as never)
  return text
}

/** Runs one command line. The exit code is left in `process.exitCode`. */
export async function main(argv: readonly string[]): Promise<void> {
  guardOutput(process)
  const context = { process } as CliContext
  await run(application, argv, context as never)
  // Usage errors of the parser are negative codes there.
  if (typeof process.exitCode === 'number' && process.exitCode < 0) process.exitCode = exitCodes.usage
}
