// `npm run test:faults`: kills, power cuts, full and failing disks, damaged files. Ends with what failed and true counts.
import { main, setUp } from './lib/setup.mjs'
import { clearResults, tellFailures, vitest } from './lib/tests.mjs'

await main(async () => {
  await setUp()
  clearResults()
  const { passed, failures } = await vitest(['faults'], 'faults.json')
  tellFailures(failures)
  process.stdout.write(`\n${passed} passed, ${failures.length} failed\n`)
  return failures.length === 0 ? 0 : 1
})
