#!/usr/bin/env node
// Must parse under any Node that npm may start it with; CommonJS, since Node has that ready the soonest.
const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 24 || (major === 24 && minor < 15)) {
  process.stderr.write(
    `dag needs Node 24.15 or newer, this is ${process.versions.node}. The project brings its own: once \`npm run setup\` has run, start it by \`npx dag\` or engine/bin/dag.\n`,
  )
  process.exitCode = 2
} else {
  const { existsSync, readFileSync, writeSync } = require('node:fs')
  const built = (name) => `${__dirname}/../../dist/program/${name}`
  const args = process.argv.slice(2)
  if (!existsSync(built('dag.mjs'))) {
    process.stderr.write('dag is not built yet: run `npm run setup`\n')
    process.exitCode = 2
  } else if (args.length === 0 || (args.length === 1 && ['--help', '-h'].includes(args[0]))) {
    // The build has written it down: neither the program nor Node's streams need be loaded to say what it can do.
    const colored = require('node:tty').isatty(1) && process.stdout.getColorDepth() >= 4 && !process.env.STRICLI_NO_COLOR
    const help = readFileSync(built(colored ? 'help-colored.txt' : 'help.txt'))
    let sent = 0
    try {
      sent = writeSync(1, help)
    } catch {} // Whatever hinders it, the stream meets it too.
    if (sent < help.length) {
      process.stdout.on('error', () => {}) // A reader that has left is no mistake.
      process.stdout.write(help.subarray(sent))
    }
  } else {
    // What V8 makes of the program's text is kept beside it, where this user may write: a plan starts 15 ms sooner.
    require('node:module').enableCompileCache(built('compiled'))
    void import('../../dist/program/dag.mjs').then(({ main }) => main(args))
  }
}
