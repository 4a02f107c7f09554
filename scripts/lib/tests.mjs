// Runs test programs and counts what they ran.
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { at, foreground, node24 } from './setup.mjs'

const results = at('cache', 'test-results')

/** Makes an empty folder for the reports of the test programs. */
export function clearResults() {
  rmSync(results, { recursive: true, force: true })
  mkdirSync(results, { recursive: true })
}

/** Runs projects of vitest.config.ts. */
export async function vitest(projects, report) {
  const file = at('cache', 'test-results', report)
  const chosen = projects.flatMap((name) => ['--project', name])
  const args = ['run', ...chosen, '--reporter=default', '--reporter=json', `--outputFile.json=${file}`]
  const code = await foreground(node24, [at('node_modules', 'vitest', 'vitest.mjs'), ...args])
  const { numPassedTests, numFailedTests, numFailedTestSuites } = readJson(file)
  return counts(numPassedTests, numFailedTests || numFailedTestSuites, code)
}

/** A runner that failed without saying which test counts as one failure. */
export function counts(passed = 0, failed = 0, code) {
  return { passed, failed: failed === 0 && code !== 0 ? 1 : failed }
}

export function readText(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

function readJson(file) {
  const text = readText(file)
  return text === '' ? {} : JSON.parse(text)
}
