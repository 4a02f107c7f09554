// `npm run test:faults`: kills, power cuts, full and failing disks, damaged files. Ends with true counts.
import { main, setUp } from './lib/setup.mjs'
import { clearResults, vitest } from './lib/tests.mjs'

await main(async () => {
  await setUp()
  clearResults()
  const { passed, failed } = await vitest(['faults'], 'faults.json')
  process.stdout.write(`\n${passed} passed, ${failed} failed\n`)
  return failed === 0 ? 0 : 1
})
