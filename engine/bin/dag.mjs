#!/usr/bin/env node
// Must parse under any Node that npm may start it with.
const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 24 || (major === 24 && minor < 15)) {
  process.stderr.write(
    `dag needs Node 24.15 or newer, this is ${process.versions.node}. The project brings its own: use \`npx dag\` or \`npm run dag --\`.\n`,
  )
  process.exitCode = 2
} else {
  const { existsSync } = await import('node:fs')
  const program = new URL('../../dist/program/dag.mjs', import.meta.url)
  if (existsSync(program)) {
    const { main } = await import(program.href)
    await main(process.argv.slice(2))
  } else {
    process.stderr.write('dag is not built yet: run `npm run build`\n')
    process.exitCode = 2
  }
}
