// `npm run setup`: everything that a run needs.
import { main, setUp } from './lib/setup.mjs'

await main(async () => {
  await setUp()
  process.stderr.write('set-up: complete\n')
  return 0
})
