#!/usr/bin/env node
// Must parse under any Node that npm may start it with.
const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 24 || (major === 24 && minor < 15)) {
  process.stderr.write(
    `dag needs Node 24.15 or newer, this is ${process.versions.node}. The project brings its own: use \`npx dag\` or \`npm run dag --\`.\n`,
  )
  process.exitCode = 2
} else {
  const { existsSync, readFileSync } = await import('node:fs')
  const built = (name) => new URL(`../../dist/program/${name}`, import.meta.url)
  const args = process.argv.slice(2)
  if (!existsSync(built('dag.mjs'))) {
    process.stderr.write('dag is not built yet: run `npm run build`\n')
    process.exitCode = 2
  } else if (args.length === 0 || (args.length === 1 && ['--help', '-h'].includes(args[0]))) {
    // The build has written it down: the program need not be loaded to say what it can do.
    const colored = process.stdout.isTTY && process.stdout.getColorDepth() >= 4 && !process.env.STRICLI_NO_COLOR
    process.stdout.on('error', () => {}) // A reader that has left is no mistake.
    process.stdout.write(readFileSync(built(colored ? 'help-colored.txt' : 'help.txt')))
  } else {
    const { main } = await import(built('dag.mjs').href)
    await main(args)
  }
}
