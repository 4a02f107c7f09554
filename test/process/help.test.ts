import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { helpText } from '../../engine/cli/main.ts'
import { dag } from '../support/dag.ts'
import { temporaryFolder } from '../support/files.ts'
import { root } from '../support/paths.ts'

test.for([[], ['--help'], ['-h']])('`dag %s` says what the program would say, without loading it', async (args) => {
  expect(await dag(root, args)).toEqual({ code: 0, stdout: await helpText(false), stderr: '' })
})

test('the help for a terminal in colours is kept too', async () => {
  expect(readFileSync(`${root}/dist/program/help-colored.txt`, 'utf8')).toBe(await helpText(true))
})

test('by a link it starts from any folder, with the Node that the project brings, whichever is on the PATH', async () => {
  const folder = temporaryFolder()
  const link = path.join(folder, 'dag')
  symlinkSync(path.join(root, 'engine', 'bin', 'dag'), link)
  symlinkSync('/bin/false', path.join(folder, 'node'))
  const { status, stdout, stderr } = spawnSync(link, ['--help'], {
    cwd: folder,
    encoding: 'utf8',
    env: { PATH: `${folder}:/usr/bin:/bin` },
  })
  expect([status, stdout, stderr]).toEqual([0, await helpText(false), ''])
})

test('before it is set up it says what to do', () => {
  const folder = temporaryFolder()
  mkdirSync(path.join(folder, 'engine', 'bin'), { recursive: true })
  for (const name of ['dag', 'dag.cjs']) cpSync(path.join(root, 'engine', 'bin', name), path.join(folder, 'engine', 'bin', name))
  const env = { PATH: `${path.dirname(process.execPath)}:/usr/bin:/bin` }
  const { status, stderr } = spawnSync(path.join(folder, 'engine', 'bin', 'dag'), ['--help'], { encoding: 'utf8', env })
  expect([status, stderr]).toEqual([2, 'dag is not built yet: run `npm run setup`\n'])
})

test('every command is in the help with a line of its own', async () => {
  const commands = [
    'run',
    'plan',
    'why',
    'show',
    'lineage',
    'kinds',
    'check',
    'fetch',
    'watch',
    'attach',
    'verify',
    'export',
    'gc',
    'doctor',
  ]
  const text = await helpText(false)
  expect(commands.filter((name) => !new RegExp(`^ +${name}  +\\S`, 'm').test(text))).toEqual([])
})

test('`dag --version` says which one it is', async () => {
  const { version } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as { version: string }
  expect(await dag(root, ['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' })
})

test('`dag kinds` says what a workflow can say, and of a kind its parameters', async () => {
  const { stdout } = await dag(root, ['kinds'])
  expect(stdout).toContain('  pilot.go_on_within: a number, default 1.5\n')
  expect(stdout).toContain('  rank        Rank responses along every trait.\n')
  expect((await dag(root, ['kinds', 'random'])).stdout.split('\n').slice(0, 4)).toEqual([
    'random: Draw random directions, a baseline for trait vectors.',
    '',
    '  model: a model',
    '      The model whose residual stream it is; only its size is looked at.',
  ])
  expect(await dag(root, ['kinds', 'randon'])).toEqual({
    code: 2,
    stdout: '',
    stderr: 'error: there is no kind of step "randon" [kind]\n  hint: did you mean "random"?\n\n1 error; nothing was started\n',
  })
})
