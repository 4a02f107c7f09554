import { existsSync } from 'node:fs'
import { diagnose, doctorText, type SidecarFacts } from '../report/doctor.ts'
import { startSidecar } from '../run/executors/sidecar.ts'
import { surroundings } from '../store/health/surroundings.ts'
import type { CliContext } from './common/context.ts'
import { exitCodes } from './common/exit-codes.ts'
import { sidecarCommand, storeFolder } from './common/places.ts'
import { reportProblems } from './common/report-problems.ts'

export async function doctor(this: CliContext, flags: { readonly store?: string; readonly json: boolean }): Promise<void> {
  const root = storeFolder('./.', flags.store)
  if (!existsSync(root)) {
    const message = `there is no folder ${root} that could hold a store`
    return reportProblems(this.process, [
      { severity: 'error', rule: 'no-store', message, hint: 'go to the workspace, or name a folder with --store' },
    ])
  }
  const sidecar = await askSidecar(this.process.env)
  const findings = diagnose({ node: this.process.versions.node, sidecar, store: surroundings(root, Date.now) })
  this.process.stdout.write(flags.json ? `${JSON.stringify({ store: root, findings })}\n` : doctorText(findings))
  this.process.exitCode = findings.some(({ state }) => state === 'fail') ? exitCodes.failed : exitCodes.done
}

async function askSidecar(env: NodeJS.ProcessEnv): Promise<SidecarFacts> {
  const found = sidecarCommand(env)
  if (!found.ok) return { problem: found.error.message, python: '' }
  const python = found.value.command[0] as string
  const started = performance.now()
  try {
    const sidecar = startSidecar({ ...found.value, onLog: () => {} })
    const hello = await sidecar.ready
    const seconds = (performance.now() - started) / 1000
    await sidecar.close()
    return { ...hello, seconds, python }
  } catch (error) {
    const [problem = ''] = (error as Error).message.split('\n')
    return { problem, python }
  }
}
