// `npm run check`: types, lint, format, unused code.
import { runChecks } from './lib/checks.mjs'
import { main, setUp } from './lib/setup.mjs'

await main(async () => {
  await setUp({ withModel: false })
  return runChecks().length === 0 ? 0 : 1
})
