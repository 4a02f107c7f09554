import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { GcReport } from '../../engine/store/gc/gc-plan.ts'
import { dag, plan, run, runUntil, spawnDag } from '../support/dag.ts'
import { age, cellDigests, objectFile, objectOf, rows, storeFiles } from '../support/stored.ts'
import { finishedWorkspace, freshWorkspace, type Workspace, workflowFile, workspaceAt } from '../support/workspace.ts'

async function gc(workspace: Workspace, ...args: string[]): Promise<GcReport> {
  const { code, stdout, stderr } = await dag(workspace.folder, ['gc', '--json', ...args])
  expect([code, stderr]).toEqual([0, ''])
  return JSON.parse(stdout) as GcReport
}

const now = ['--grace', '0'] as const
const roots = ({ stay }: GcReport) => stay.roots.map(({ kind, units }) => `${kind} ${units}`).sort()

/** A chain of two commands that has run on two inputs, one after another. */
async function chainOfTwoInputs(): Promise<Workspace> {
  const workspace = freshWorkspace()
  workspace.write(
    workflowFile,
    `workflow: chain
steps:
  a: { kind: command, run: "sort -u {in.text} > {out.sorted}", inputs: { text: ../in.txt }, outputs: { sorted: sorted.txt } }
  b: { kind: command, run: "tac {in.x} > {out.turned}", inputs: { x: { step: a, output: sorted } }, outputs: { turned: turned.txt } }
`,
  )
  for (const text of ['x\ny\n', 'one\ntwo\nthree\n']) {
    workspace.write('in.txt', text)
    expect((await run(workspace)).finished.tasks.ran).toBe(2)
  }
  return workspace
}

function manifests(workspace: Workspace): string[] {
  return readdirSync(workspace.at('cache/manifests')).map((name) => workspace.at('cache/manifests', name))
}

function objects(workspace: Workspace): string[] {
  return readdirSync(workspace.at('cache/objects')).flatMap((folder) =>
    readdirSync(workspace.at('cache/objects', folder)).map((name) => workspace.at('cache/objects', folder, name)),
  )
}

test('a dry run says what would go and what stays because of what, and touches nothing', async () => {
  const workspace = await chainOfTwoInputs()
  const before = [storeFiles(workspace), cellDigests(workspace)]
  const { code, stdout } = await dag(workspace.folder, ['gc', ...now])
  expect(code).toBe(0)
  expect(
    stdout
      .replaceAll(/\d{8}-\d{6}-[0-9a-f]{4}/g, 'RUN')
      .replaceAll(/[\d.]+ kB/g, 'SIZE')
      .replaceAll(/ +/g, ' ')
      .split('\n'),
  ).toEqual([
    'would go: 2 cells, SIZE',
    ' command 2 cells 2 batches 8 B',
    ' folders of old runs 1 SIZE',
    'stays: 2 objects, 28 B',
    ' last run of workflows/audit.yaml (RUN) 28 B 0 B by nothing else',
    ' shown in experiments/chain 28 B 0 B by nothing else',
    'nothing was removed: `dag gc --yes` does it',
    '',
  ])
  expect([storeFiles(workspace), cellDigests(workspace)]).toEqual(before)
})

test('what nothing stands on goes from the index and the disk; what is left is whole and nothing runs', async () => {
  const workspace = await chainOfTwoInputs()
  const report = await gc(workspace, '--yes', ...now)
  expect(report).toMatchObject({ done: true, go: { units: 2, cells: 2, objects: 2, bytes: 8 }, stay: { units: 2, objects: 2 } })
  expect([objects(workspace).length, manifests(workspace).length, cellDigests(workspace).length]).toEqual([2, 2, 2])
  expect(
    rows(workspace, 'SELECT count(*) AS n FROM units UNION ALL SELECT count(*) FROM objects UNION ALL SELECT count(*) FROM unit_objects'),
  ).toEqual([{ n: 2 }, { n: 2 }, { n: 2 }])
  expect([readdirSync(workspace.at('cache/runs')).length, readdirSync(workspace.at('cache/staging'))]).toEqual([1, []])
  expect((await dag(workspace.folder, ['verify', '--read-data'])).stdout).toContain('\nno damage\n')
  expect((await run(workspace)).finished.tasks).toEqual({ ran: 0, reused: 2, failed: 0 })
  expect(await gc(workspace, '--yes', ...now)).toMatchObject({ go: { units: 0, objects: 0 } })
})

test('nothing younger than the grace time goes: batches by their manifests, objects by their files', async () => {
  const workspace = await chainOfTwoInputs()
  expect((await gc(workspace, '--yes')).go.units).toBe(0)
  age(manifests(workspace), 2)
  expect((await gc(workspace, '--yes', '--grace', '3d')).go.units).toBe(0)
  expect((await gc(workspace, '--yes')).go.units).toBe(2)
  expect([objects(workspace).length, manifests(workspace).length]).toEqual([4, 2])
  expect((await gc(workspace, '--yes')).go.leftovers.objects.files).toBe(0)
  age(objects(workspace), 2)
  expect((await gc(workspace, '--yes')).go.leftovers.objects).toEqual({ files: 2, bytes: 8 })
  expect(objects(workspace).length).toBe(2)
})

test('an object stays while a live cell uses it, though the batch that first made it goes', async () => {
  const workspace = await chainOfTwoInputs()
  await gc(workspace, '--yes', ...now)
  const object = objectOf(workspace, 'a')
  rmSync(objectFile(workspace, object), { force: true })
  expect((await run(workspace)).finished.tasks).toEqual({ ran: 1, reused: 1, failed: 0 })
  expect(rows(workspace, "SELECT task, (SELECT count(*) FROM cells WHERE unit = units.id) AS cells FROM units WHERE task = 'a'")).toEqual([
    { task: 'a', cells: 0 },
    { task: 'a', cells: 1 },
  ])
  expect((await gc(workspace, '--yes', ...now)).go).toMatchObject({ units: 1, cells: 0, objects: 0 })
  expect(existsSync(objectFile(workspace, object))).toBe(true)
  expect((await dag(workspace.folder, ['verify', '--read-data'])).stdout).toContain('\nno damage\n')
  expect((await run(workspace)).finished.tasks).toEqual({ ran: 0, reused: 2, failed: 0 })
})

test('a pinned run stays whatever comes later; unpinned it goes', async () => {
  const workspace = await chainOfTwoInputs()
  const [first] = readdirSync(workspace.at('cache/runs'))
    .map((name) => name)
    .filter((name) => !JSON.stringify(rows(workspace, 'SELECT run FROM units ORDER BY id DESC LIMIT 1')).includes(name)) as [string]
  expect(roots(await gc(workspace, ...now, '--pin', first))).toEqual(['last-run 2', 'pinned-run 2', 'view 2'])
  expect((await gc(workspace, '--yes', ...now)).go.units).toBe(0)
  workspace.write('in.txt', 'x\ny\n')
  expect((await run(workspace)).finished.tasks).toEqual({ ran: 0, reused: 2, failed: 0 })
  workspace.write('in.txt', 'one\ntwo\nthree\n')
  expect((await run(workspace)).finished.tasks).toEqual({ ran: 0, reused: 2, failed: 0 })
  expect((await gc(workspace, '--yes', ...now, '--unpin', first)).go.units).toBe(2)
  expect(await dag(workspace.folder, ['gc', '--pin', 'nothing'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('error: the store has no record of a run "nothing" [unknown-run]'),
  })
})

test('a run that finds everything there is the last one too: what only the run before it used goes', async () => {
  const workspace = await chainOfTwoInputs()
  workspace.write('in.txt', 'x\ny\n')
  expect((await run(workspace)).finished.tasks.ran).toBe(0)
  expect((await gc(workspace, '--yes', ...now)).go).toMatchObject({ units: 2, bytes: 28 })
  expect((await run(workspace)).finished.tasks).toEqual({ ran: 0, reused: 2, failed: 0 })
})

test('a workflow that is forgotten keeps only what is shown', async () => {
  const workspace = await chainOfTwoInputs()
  expect(roots(await gc(workspace, ...now, '--forget', workflowFile))).toEqual(['view 2'])
  expect(roots(await gc(workspace, ...now))).toEqual(['last-run 2', 'view 2'])
  rmSync(workspace.at('experiments'), { recursive: true })
  expect((await gc(workspace, '--yes', ...now, '--forget', workflowFile)).go.units).toBe(4)
  expect([objects(workspace), manifests(workspace), cellDigests(workspace)]).toEqual([[], [], []])
  expect((await run(workspace)).finished.tasks.ran).toBe(2)
})

test('with the index lost the roots are still known', async () => {
  const workspace = await chainOfTwoInputs()
  for (const suffix of ['', '-wal', '-shm']) rmSync(workspace.at(`cache/index.db${suffix}`), { force: true })
  const report = await gc(workspace, '--yes', ...now)
  expect([report.go.units, roots(report)]).toEqual([2, ['last-run 2']])
  expect((await run(workspace)).finished.tasks).toEqual({ ran: 0, reused: 2, failed: 0 })
})

test('while a run is going on nothing is removed, the run ends well, and what it made stays', async () => {
  const workspace = await chainOfTwoInputs()
  const gate = workspace.at('gate')
  workspace.write('in.txt', 'new\n')
  workspace.edit(workflowFile, 'tac {in.x} > {out.turned}', `until [ -e ${gate} ]; do sleep 0.05; done; tac {in.x} > {out.turned}`)
  const running = spawnDag(workspace.folder, ['run', '--ui', 'json', workflowFile])
  let events = ''
  await new Promise<void>((resolve) =>
    running.stdout.on('data', (data) => {
      events += String(data)
      if (events.includes('"type":"task-started","task":"b"')) resolve()
    }),
  )
  const holder = `run \\S+ of ${workflowFile}: process ${running.pid}, since [-\\d]+ [:\\d]+ UTC, started as "dag run --ui json ${workflowFile}"`
  const refused = await dag(workspace.folder, ['gc', '--yes', ...now])
  expect(refused.code).toBe(2)
  expect(refused.stderr).toMatch(
    new RegExp(`^error: the store ${workspace.at('cache')} is in use by ${holder} \\[locked\\]\n  hint: wait for it, or stop it\n`),
  )
  const dry = await gc(workspace, ...now)
  expect(dry.heldBy).toMatch(new RegExp(`^${holder}$`))
  expect([dry.go.leftovers.staging.files, roots(dry)]).toEqual([0, ['last-run 2', 'unfinished-run 1', 'view 2']])
  writeFileSync(gate, '')
  expect(await new Promise((resolve) => running.on('close', resolve))).toBe(0)
  await gc(workspace, '--yes', ...now)
  expect((await run(workspace)).finished.tasks).toEqual({ ran: 0, reused: 2, failed: 0 })
})

const killsAtRemoval = spawnSync('strace', ['-V']).status === 0

test.skipIf(!killsAtRemoval)(
  `a collection killed at any removal leaves a whole store, and the next one ends it${killsAtRemoval ? '' : ' (skipped: no strace)'}`,
  async () => {
    const workspace = await chainOfTwoInputs()
    for (let removal = 1; ; removal++) {
      expect(removal).toBeLessThan(20)
      const copy = copyOf(workspace)
      const inject = ['strace', '-f', '-qq', '-o', '/dev/null', '-e', `inject=unlink,rmdir:signal=KILL:when=${removal}`]
      const killed = await dag(copy.folder, ['gc', '--yes', ...now], {}, inject)
      expect((await dag(copy.folder, ['verify', '--read-data'])).stdout).toContain('\nno damage\n')
      await gc(copy, '--yes', ...now)
      expect([objects(copy).length, manifests(copy).length, cellDigests(copy).length]).toEqual([2, 2, 2])
      if (killed.code === 0) break
      expect(killed.code).toBe(null)
    }
  },
)

test('a run that was killed is resumed after a collection from where it was; a shard stays while one of its cells is live', async () => {
  const workspace = finishedWorkspace()
  workspace.edit('prompts/one.json', 'What is rain?', 'What is snow?')
  await runUntil(
    workspace,
    (event) => event.type === 'batch-finished' && event.task === 'answers/beta/one',
    (child) => child.kill('SIGKILL'),
  )
  const before = (await plan(workspace)).cells
  const report = await gc(workspace, '--yes', ...now)
  expect(report.stay.roots.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['last-run', 'unfinished-run']))
  expect((await plan(workspace)).cells).toEqual(before)
  const { finished } = await run(workspace)
  expect([finished.outcome, finished.cells.reused >= before.reuse]).toEqual(['done', true])

  const dead = rows<{ cells: number }>(workspace, 'SELECT count(*) AS cells FROM cells')[0]?.cells ?? 0
  expect((await gc(workspace, '--yes', ...now)).go.cells).toBeGreaterThan(0)
  expect(cellDigests(workspace).length).toBeGreaterThan(182)
  expect(cellDigests(workspace).length).toBeLessThan(dead)
  expect((await plan(workspace)).cells).toEqual({ total: 182, run: 0, reuse: 182 })
  expect((await dag(workspace.folder, ['verify', '--read-data'])).code).toBe(0)
})

function copyOf(workspace: Workspace): Workspace {
  const folder = mkdtempSync(path.join(tmpdir(), 'dag-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  cpSync(workspace.folder, folder, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true })
  return workspaceAt(folder)
}

test('cells that two steps of a run have in common stay with either of them', async () => {
  const [first, second] = [
    'probes: { kind: extract, model: tiny, layers: [1], methods: [probe] }',
    'both: { kind: extract, model: tiny, layers: [1, 3] }',
  ]
  for (const [kept, cells] of [
    [first, 2],
    [second, 8],
  ] as const) {
    const workspace = freshWorkspace()
    const head = workspace.read(workflowFile).split('steps:')[0]
    workspace.write(workflowFile, `${head}steps:\n  ${first}\n  ${second}\n`)
    expect((await run(workspace)).finished.cells).toEqual({ ran: 8, reused: 2, failed: 0 })
    workspace.write(workflowFile, `${head}steps:\n  ${kept}\n`)
    await run(workspace)
    await dag(workspace.folder, ['gc', '--yes', '--grace', '0'])
    expect((await run(workspace)).finished.cells).toEqual({ ran: 0, reused: cells, failed: 0 })
  }
})

test.skipIf(availableParallelism() < 2)('so do those that both made side by side', async () => {
  const sorted = '{ kind: command, run: "sort -u {in.text} > {out.o}", inputs: { text: ../in.txt }, outputs: { o: o.txt } }'
  for (const kept of ['first', 'second']) {
    const workspace = freshWorkspace()
    workspace.write('in.txt', 'b\na\nb\n')
    const workflowOf = (...steps: string[]) => `workflow: alike\nsteps:\n${steps.map((step) => `  ${step}: ${sorted}\n`).join('')}`
    workspace.write(workflowFile, workflowOf('first', 'second'))
    expect((await run(workspace)).finished.cells).toEqual({ ran: 2, reused: 0, failed: 0 })
    workspace.write(workflowFile, workflowOf(kept))
    await run(workspace)
    await dag(workspace.folder, ['gc', '--yes', '--grace', '0'])
    expect((await run(workspace)).finished.cells).toEqual({ ran: 0, reused: 1, failed: 0 })
  }
})
