// `npm run quickstart`: sets up what is not there and runs the main job on a small real model.
import { at, foreground, main, node24, setUp } from './lib/setup.mjs'

await main(async () => {
  await setUp()
  return foreground(node24, [at('engine', 'bin', 'dag.cjs'), 'run', 'workflows/quickstart.yaml', ...process.argv.slice(2)])
})
