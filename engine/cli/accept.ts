import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import type { CliContext } from './common/context.ts'
import { exitCodes } from './common/exit-codes.ts'
import { programRoot } from './common/places.ts'
import { reportProblems } from './common/report-problems.ts'

interface Fingerprint {
  readonly version: number
}

const test = 'test/job/fingerprint.test.ts'

/** Records what operations do now as what their versions do. For whoever changes a step kind; see docs/design.md. */
export function accept(this: CliContext): void {
  const root = programRoot()
  const runner = path.join(root, 'node_modules', 'vitest', 'vitest.mjs')
  const missing = [runner, path.join(root, test)].find((file) => !existsSync(file))
  if (missing) {
    const message = `fingerprints of operations are taken by the tests of the engine, and ${missing} is not there`
    return reportProblems(this.process, [
      { severity: 'error', rule: 'no-tests', message, hint: 'run it in a clone of the repository, after `npm run setup`' },
    ])
  }
  const before = fingerprintsOf(root)
  this.process.stderr.write('running every operation on small models …\n')
  for (const args of [[path.join(root, 'scripts', 'build.mjs')], [runner, 'run', '--project', 'job', test]]) {
    const { status, stdout, stderr } = spawnSync(this.process.execPath, args, {
      cwd: root,
      encoding: 'utf8',
      env: { ...this.process.env, DAG_ACCEPT: '1' },
    })
    if (status === 0) continue
    this.process.stderr.write(`${stdout}${stderr}\nnothing was recorded\n`)
    this.process.exitCode = exitCodes.failed
    return
  }
  this.process.stdout.write(`${acceptedText(before, fingerprintsOf(root))}\n`)
}

function fingerprintsOf(root: string): Readonly<Record<string, Fingerprint>> {
  const file = path.join(root, 'steps', 'fingerprints.json')
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, Fingerprint>) : {}
}

/** Which fingerprints are others now. */
function acceptedText(before: Readonly<Record<string, Fingerprint>>, after: Readonly<Record<string, Fingerprint>>): string {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()
  const lines = names.flatMap((name) => {
    const [old, now] = [before[name], after[name]]
    if (!now) return [`${name}: taken out, it was at version ${old?.version}`]
    if (!old) return [`${name}: recorded at version ${now.version}`]
    if (old.version !== now.version) return [`${name}: version ${old.version} → ${now.version}`]
    return JSON.stringify(old) === JSON.stringify(now) ? [] : [`${name}: stamped anew at version ${now.version}`]
  })
  if (lines.length === 0) return `nothing to record: all ${names.length} operations do what their versions did`
  return [
    ...lines,
    'Commit steps/fingerprints.json with the change and say in the message why results are the same, or that the version was raised.',
  ].join('\n')
}
