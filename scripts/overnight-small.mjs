// `npm run overnight-small`: sets up what is not there, makes the 56 organisms and runs the small night on them.
import { existsSync } from 'node:fs'
import { at, foreground, main, node24, python, setUp } from './lib/setup.mjs'

await main(async () => {
  await setUp()
  if (!existsSync(at('datasets', 'organisms', 'derived'))) {
    process.stderr.write('set-up: making 56 organisms of the seven trained ones\n')
    const code = await foreground(python, [at('datasets', 'organisms', 'derive.py')])
    if (code !== 0) return code
  }
  return foreground(node24, [at('engine', 'bin', 'dag.cjs'), 'run', 'workflows/overnight-small.yaml', ...process.argv.slice(2)])
})
