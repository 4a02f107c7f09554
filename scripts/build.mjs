// Builds dist/: the workflow schema, its compiled check, and the program as one bundle with lazy chunks.
// `--out FOLDER --replace MODULE=OTHER` builds a program elsewhere, with another module in the place of one.
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { at, filesOf } from './lib/setup.mjs'

const require = createRequire(import.meta.url)

/** Modules of the engine as this Node can import them: TypeScript, with its types taken off. */
async function load(file, name) {
  const out = at('dist', `.build-${process.pid}-${path.basename(file, '.ts')}.mjs`)
  await build({
    entryPoints: [at(file)],
    outfile: out,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'warning',
  })
  try {
    return (await import(pathToFileURL(out)))[name]
  } finally {
    rmSync(out)
  }
}

async function buildSchema() {
  const Ajv = require('ajv').default
  const standalone = require('ajv/dist/standalone').default
  const kinds = await load('steps/index.ts', 'kinds')
  const schema = (await load('engine/spec/schema.ts', 'workflowSchema'))(kinds)
  const forEditors = (await load('engine/spec/ranges.ts', 'allowingRanges'))(JSON.parse(JSON.stringify(schema)))
  writeFileSync(at('engine/spec/workflow.schema.json'), `${JSON.stringify(forEditors, null, 2)}\n`)
  const ajv = new Ajv({
    allErrors: true,
    verbose: true,
    strict: true,
    strictTypes: false,
    strictRequired: false,
    allowUnionTypes: true,
    code: { source: true, esm: true },
  })
  ajv.addVocabulary(['x-affects', 'x-ref', 'x-chooses', 'x-ranges', 'x-alone'])
  const code = standalone(ajv, ajv.compile(schema))
  writeFileSync(at('engine/generated/validate-workflow.mjs'), code)
}

/** Changes with every source that the program is built from. */
function buildName() {
  const hash = createHash('sha256')
  for (const file of ['engine', 'steps'].flatMap((folder) => filesOf(at(folder)))) hash.update(readFileSync(file))
  return hash.update(readFileSync(at('package-lock.json'))).digest('hex')
}

async function buildProgram(out, plugins = []) {
  rmSync(out, { recursive: true, force: true })
  await build({
    entryPoints: { dag: at('engine/cli/main.ts') },
    outdir: out,
    plugins,
    bundle: true,
    splitting: true,
    minify: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    chunkNames: 'chunk-[hash]',
    external: ['blake3'],
    alias: { 'react-devtools-core': at('scripts/empty.mjs'), 'hash-wasm': 'hash-wasm/dist/blake3.umd.min.js' },
    define: {
      'process.env.NODE_ENV': '"production"',
      'process.env.DAG_BUILD': JSON.stringify(buildName()),
      'process.env.DAG_VERSION': JSON.stringify(require('../package.json').version),
    },
    banner: { js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" },
    outExtension: { '.js': '.mjs' },
    logLevel: 'warning',
  })
}

/** The help for `bin/dag.cjs`, plain and for a terminal in colours. */
async function keepHelp(program) {
  const { helpText } = await import(pathToFileURL(path.join(program, 'dag.mjs')))
  for (const [name, colored] of Object.entries({ 'help.txt': false, 'help-colored.txt': true }))
    writeFileSync(path.join(program, name), await helpText(colored))
}

/** Puts another module in the place of one of the engine. */
function replacing(module, other) {
  return {
    name: 'replacing',
    setup({ onLoad }) {
      onLoad({ filter: /\.ts$/ }, ({ path: file }) =>
        file === at(module) ? { contents: readFileSync(at(other)), loader: 'ts', resolveDir: path.dirname(at(other)) } : null,
      )
    },
  }
}

const { values } = parseArgs({ options: { out: { type: 'string' }, replace: { type: 'string' } } })
mkdirSync(at('dist'), { recursive: true })
if (values.out) await buildProgram(at(values.out), [replacing(...values.replace.split('='))])
else {
  await buildSchema()
  await buildProgram(at('dist/program'))
  await keepHelp(at('dist/program'))
}
