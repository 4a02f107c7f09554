// Checks that need no run: types, lint, format, unused code, generated files.
import { spawnSync } from 'node:child_process'
import { at, node24, root } from './setup.mjs'

const tool = (name) => at('node_modules', '.bin', name)

const checks = [
  ['types', [tool('tsc'), '-p', '.']],
  ['lint', [tool('oxlint'), '--type-aware']],
  ['format', [tool('biome'), 'format', '.']],
  ['unused code', [tool('knip')]],
]

/** Runs every check; answers those that failed, with what they printed. */
export function runChecks() {
  return checks.map(failureOf).filter((failure) => failure !== null)
}

export const checkCount = checks.length

function failureOf([name, [file, ...args]]) {
  const env = { ...process.env, PATH: `${at('node_modules', '.bin')}:${process.env.PATH}` }
  const { status, stdout, stderr } = spawnSync(node24, [file, ...args], { cwd: root, encoding: 'utf8', env })
  process.stdout.write(`${status === 0 ? 'ok    ' : 'FAILED'}  ${name}\n`)
  if (status === 0) return null
  process.stdout.write(`${stdout}${stderr}\n`)
  return { name, why: `${stdout}${stderr}` }
}
