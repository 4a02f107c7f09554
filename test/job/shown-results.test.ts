import { execFileSync } from 'node:child_process'
import { closeSync, constants, existsSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, writeSync } from 'node:fs'
import { expect, onTestFinished, test, vi } from 'vitest'
import { dag, run } from '../support/dag.ts'
import { patience } from '../support/fake.ts'
import { filesBelow } from '../support/files.ts'
import { changeIndex } from '../support/stored.ts'
import { watched } from '../support/watched.ts'
import { finishedWorkspace, freshWorkspace, organismList, type Workspace, workflowFile, workspaceAt } from '../support/workspace.ts'

const experiment = 'experiments/audit'

const shown = (workspace: Workspace) => filesBelow(workspace.at(experiment))

/** The main job where everything is done and shown. */
async function everythingShown(): Promise<Workspace> {
  const workspace = finishedWorkspace()
  expect((await run(workspace)).finished.cells.ran).toBe(0)
  return workspace
}

const withoutGamma = (workspace: Workspace) => workspace.write('organisms/list.yaml', organismList(['alpha', 'beta']))

/** A workflow of commands: each writes its name into `outputs/NAME/o.txt`. */
function commands(names: readonly string[], programs: Readonly<Record<string, string>> = {}): string {
  const steps = names.map(
    (name) => `  ${name}: { kind: command, run: "${programs[name] ?? `echo ${name}`} > {out.o}", outputs: { o: o.txt } }\n`,
  )
  return `workflow: audit\nsteps:\n${steps.join('')}`
}

test('what an organism showed goes with it; what is not ours stays', async () => {
  const workspace = await everythingShown()
  workspace.write(`${experiment}/reports/mine.md`, 'notes on gamma')
  const before = shown(workspace)
  const ofGamma = before.filter((file) => file.includes('gamma'))
  expect(ofGamma).toHaveLength(7)
  withoutGamma(workspace)
  const { stdout } = await dag(workspace.folder, ['run', '--ui', 'plain', workflowFile])
  expect(stdout).toContain(`results that the workflow no longer makes were removed from ${experiment}: 7\n`)
  expect(shown(workspace)).toEqual(before.filter((file) => !ofGamma.includes(file)))
  expect((await dag(workspace.folder, ['verify'])).stdout).not.toMatch(/removed|edited/)
})

test('a result that was edited and that the workflow no longer makes is kept aside', async () => {
  const workspace = await everythingShown()
  const file = `${experiment}/reports/report/data/answers~gamma~one.js`
  workspace.write(file, 'edited')
  withoutGamma(workspace)
  const { stdout } = await dag(workspace.folder, ['run', '--ui', 'plain', workflowFile])
  expect(stdout).toContain(`a result was edited by hand; the edited file is kept as ${workspace.at(file)}.edited-1\n`)
  expect(shown(workspace).filter((name) => name.includes('gamma'))).toEqual(['reports/report/data/answers~gamma~one.js.edited-1'])
  expect(workspace.read(`${file}.edited-1`)).toBe('edited')
})

test('folders that nothing is in any more go too, also where the workflow shows nothing at all', async () => {
  const workspace = freshWorkspace()
  workspace.write(workflowFile, commands(['a', 'b']))
  await run(workspace)
  expect(shown(workspace)).toEqual(['.made-by-dag', 'outputs/a/o.txt', 'outputs/b/o.txt'])
  workspace.write(workflowFile, commands(['b']))
  await run(workspace)
  expect(readdirSync(workspace.at(experiment, 'outputs'))).toEqual(['b'])
  const given = '../given/{trait}/probe/layer{layer}.safetensors'
  workspace.write(workflowFile, `${commands([])}  vectors: { kind: vectors, hidden: 64, files: "${given}" }\n`)
  expect((await run(workspace)).finished.outcome).toBe('done')
  expect(readdirSync(workspace.at(experiment))).toEqual(['.made-by-dag'])
})

test('another workflow of the same experiment keeps its results', async () => {
  const workspace = freshWorkspace()
  workspace.write(workflowFile, commands(['a', 'b']))
  workspace.write('workflows/other.yaml', commands(['c']))
  await run(workspace)
  expect((await dag(workspace.folder, ['run', '--ui', 'json', 'workflows/other.yaml'])).code).toBe(0)
  workspace.write(workflowFile, commands(['b']))
  await run(workspace)
  expect(shown(workspace)).toEqual(['.made-by-dag', 'outputs/b/o.txt', 'outputs/c/o.txt'])
})

test('where another workflow of the same experiment shows other results in the same files, the run says so', async () => {
  const workspace = freshWorkspace()
  workspace.write(workflowFile, commands(['a', 'b']))
  workspace.write('workflows/other.yaml', commands(['a', 'b'], { b: 'echo other' }))
  const notes = async (file: string) => {
    const { stdout } = await dag(workspace.folder, ['run', '--ui', 'plain', file])
    return stdout.split('\n').filter((line) => line.includes('written over'))
  }
  const note = (file: string) =>
    `00:00:00  results of ${file} in ${experiment} were written over: 1; where both are in use, give one another \`experiment:\``
  const found = [await notes(workflowFile), await notes('workflows/other.yaml'), await notes(workflowFile), await notes(workflowFile)]
  expect(found.map((lines) => lines.map((line) => line.replace(/^[\d:]+/, '00:00:00')))).toEqual([
    [],
    [note('audit.yaml')],
    [note('other.yaml')],
    [],
  ])
  renameSync(workspace.at(workflowFile), workspace.at('workflows/renamed.yaml'))
  expect(await notes('workflows/renamed.yaml')).toEqual([])
})

test('every ranking is shown in a folder of its own, and a folder that it leaves is taken away', async () => {
  const workspace = await everythingShown()
  const summary = (folder: string) => workspace.read(`${experiment}/analysis/${folder}/summary.md`)
  workspace.edit(workflowFile, '  report:', '  alone: { kind: rank, of: scores, mode: raw, folder: alone }\n  report:')
  expect((await run(workspace)).finished.cells.ran).toBe(5)
  expect([summary('top_activating'), summary('alone')]).toEqual([
    expect.stringContaining('organism minus clean model'),
    expect.stringContaining('organism alone'),
  ])
  workspace.edit(workflowFile, 'folder: alone', 'folder: by_itself')
  expect((await run(workspace)).finished.cells.ran).toBe(0)
  expect(readdirSync(workspace.at(experiment, 'analysis'))).toEqual(['by_itself', 'top_activating'])
})

test('while a step fails nothing is taken away', async () => {
  const workspace = freshWorkspace()
  workspace.write(workflowFile, commands(['a', 'b']))
  await run(workspace)
  workspace.write(workflowFile, commands(['a', 'c'], { c: 'false' }))
  expect((await run(workspace)).code).toBe(1)
  expect(shown(workspace)).toEqual(['.made-by-dag', 'outputs/a/o.txt', 'outputs/b/o.txt'])
  workspace.write(workflowFile, commands(['a', 'c']))
  expect((await run(workspace)).code).toBe(0)
  expect(shown(workspace)).toEqual(['.made-by-dag', 'outputs/a/o.txt', 'outputs/c/o.txt'])
})

test('results of which a killed run had only said that it would write them are taken away, or kept aside', async () => {
  const workspace = freshWorkspace()
  workspace.write(workflowFile, commands(['a', 'b', 'c']))
  await run(workspace)
  changeIndex(workspace, 'UPDATE views SET size = NULL, mtime = NULL, ctime = NULL, inode = NULL')
  rmSync(workspace.at(experiment, 'outputs/b/o.txt'))
  workspace.write(workflowFile, commands(['c']))
  const { events } = await run(workspace)
  expect(shown(workspace)).toEqual(['.made-by-dag', 'outputs/a/o.txt.edited-1', 'outputs/c/o.txt'])
  expect(events.flatMap((event) => (event.type === 'log' ? [event.text] : []))).toEqual([
    `a result was edited by hand; the edited file is kept as ${workspace.at(experiment, 'outputs/a/o.txt')}.edited-1`,
  ])
})

test('ctrl-c while results are shown leaves the rest of them to the next run', async () => {
  const workspace = freshWorkspace()
  const names = Array.from({ length: 60 }, (_, index) => `step${index}`)
  workspace.write(workflowFile, commands(names))
  await run(workspace)
  rmSync(workspace.at(experiment), { recursive: true })
  workspace.write(`${experiment}/.made-by-dag`, '')
  // Something that the run waits for: it looks whether this is an edited result.
  mkdirSync(workspace.at(experiment, 'outputs/step0'), { recursive: true })
  const pipe = workspace.at(experiment, 'outputs/step0/o.txt')
  execFileSync('mkfifo', [pipe])
  const running = watched(workspace.folder, ['run', '--ui', 'plain', workflowFile])
  const waits = await vi.waitFor(() => openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK), patience)
  running.child.kill('SIGINT')
  writeSync(waits, 'mine')
  closeSync(waits)
  expect(await running.end).toEqual({ code: 75, signal: null })
  expect(running.stdout()).toContain('stopped after')
  expect(readdirSync(workspace.at(experiment, 'outputs'))).toHaveLength(50)
  expect((await run(workspace)).finished).toMatchObject({ outcome: 'done', cells: { ran: 0, reused: 60, failed: 0 } })
  expect(readdirSync(workspace.at(experiment, 'outputs'))).toHaveLength(60)
})

test('an index of the former layout goes on: what it shows belongs to the workflow from the next run on', async () => {
  const workspace = freshWorkspace()
  workspace.write(workflowFile, commands(['a', 'b']))
  await run(workspace)
  changeIndex(
    workspace,
    'ALTER TABLE views DROP COLUMN workflow; ALTER TABLE units DROP COLUMN maker; DELETE FROM standing; PRAGMA user_version=2',
  )
  expect((await run(workspace)).finished.cells).toEqual({ ran: 0, reused: 2, failed: 0 })
  workspace.write(workflowFile, commands(['b']))
  await run(workspace)
  expect(shown(workspace)).toEqual(['.made-by-dag', 'outputs/b/o.txt'])
})

test('after a workspace has moved, results are known as they were', async () => {
  const workspace = await everythingShown()
  const moved = workspaceAt(`${workspace.folder}-moved`)
  onTestFinished(() => rmSync(moved.folder, { recursive: true, force: true }))
  renameSync(workspace.folder, moved.folder)
  const results = shown(moved)
  expect((await dag(moved.folder, ['verify'])).stdout).not.toMatch(/removed|edited/)
  const lines = (await dag(moved.folder, ['lineage', '--down', 'trait:kind'])).stdout.split('\n')
  expect(lines).toContain(`      ${experiment}/analysis/top_activating/summary.md`)
  withoutGamma(moved)
  await run(moved)
  expect(shown(moved)).toEqual(results.filter((file) => !file.includes('gamma')))
  expect((await dag(moved.folder, ['verify'])).stdout).not.toMatch(/removed|edited/)
})

test('results are never shown among files of somebody else: that is said before anything is started', async () => {
  const workspace = freshWorkspace()
  workspace.write(workflowFile, commands(['a']))
  workspace.write(`${experiment}/thesis.md`, 'mine')
  const { code, stdout, stderr } = await dag(workspace.folder, ['run', '--ui', 'plain', workflowFile])
  const problem = `error: results cannot be shown in ${workspace.at(experiment)}: it is there, and dag did not make it [foreign-folder]
  hint: move it away, or give the workflow another \`experiment:\` name
`
  expect([code, stdout, stderr]).toEqual([2, '', `${problem}\n1 error; nothing was started\n`])
  expect(existsSync(workspace.at('cache/manifests')) && readdirSync(workspace.at('cache/manifests'))).toEqual([])
  const checked = await dag(workspace.folder, ['check', workflowFile])
  expect([checked.stdout, checked.stderr]).toContainEqual(`${workflowFile}: 1 step, 1 task; it can be planned, not run\n`)
  workspace.edit(workflowFile, 'workflow: audit', 'workflow: audit\nexperiment: own')
  expect((await run(workspace)).finished.outcome).toBe('done')
})
