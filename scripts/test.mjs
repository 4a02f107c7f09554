// `npm test`: sets up what is not there, then checks, the engine's tests and the sidecar's; with `-- --faults` those of
// `npm run test:faults` too. Ends with what failed and true counts.
import { checkCount, runChecks } from './lib/checks.mjs'
import { main, setUp, tableReaders } from './lib/setup.mjs'
import { clearResults, pytest, tellFailures, vitest } from './lib/tests.mjs'

await main(async () => {
  await setUp()
  await tableReaders()
  clearResults()
  const failedChecks = runChecks()
  const all = {
    checks: { passed: checkCount - failedChecks.length, failures: failedChecks },
    engine: await vitest(['unit', 'process', 'job'], 'engine.json'),
    sidecar: await pytest(),
    ...(process.argv.includes('--faults') ? { faults: await vitest(['faults'], 'faults.json') } : {}),
  }
  const failures = Object.values(all).flatMap((each) => each.failures)
  tellFailures(failures)
  const passed = Object.values(all).reduce((total, each) => total + each.passed, 0)
  const parts = Object.entries(all).map(([name, each]) => `${name} ${each.passed}`)
  process.stdout.write(`\n${parts.join(', ')} passed\n${passed} passed, ${failures.length} failed\n`)
  return failures.length === 0 ? 0 : 1
})
