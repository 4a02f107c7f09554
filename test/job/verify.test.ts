import { appendFileSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, chmodSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { VerifyReport } from '../../engine/store/health/verify.ts'
import { dag, plan, run, spawnDag } from '../support/dag.ts'
import { cellDigests, changeIndex, flipByte, manifestOf, objectFile, objectOf, storeFiles } from '../support/stored.ts'
import { finishedWorkspace, freshWorkspace, type Workspace, workflowFile } from '../support/workspace.ts'

async function verify(workspace: Workspace, ...args: string[]): Promise<VerifyReport & { code: number | null }> {
  const { code, stdout, stderr } = await dag(workspace.folder, ['verify', '--json', ...args])
  expect(stderr).toBe('')
  return { code, ...(JSON.parse(stdout) as VerifyReport) }
}

/** `what task detail mended` of every damage. */
const found = ({ damage }: VerifyReport) =>
  damage.map(({ what, affected, detail, mended }) => `${what} ${affected.map(({ task }) => task).join()} ${detail}: ${mended}`).sort()

test('a whole store has no damage, with its data read past the page cache or not', async () => {
  const workspace = finishedWorkspace()
  const before = storeFiles(workspace)
  const plain = await verify(workspace)
  expect(plain).toMatchObject({
    code: 0,
    damage: [],
    lostCells: 0,
    heldBy: null,
    read: null,
    checked: { cells: 182, objects: 51, manifests: 51 },
  })
  const read = await verify(workspace, '--read-data')
  expect(read).toMatchObject({ code: 0, damage: [], read: { objects: 51, bytes: plain.checked.bytes, more: null } })
  expect(storeFiles(workspace)).toEqual(before)
})

test('objects flipped, cut, replaced or lost are named with their cells; the next run makes exactly those, with the same digests', async () => {
  const workspace = finishedWorkspace()
  const before = cellDigests(workspace)
  const object = (task: string) => objectFile(workspace, objectOf(workspace, task))
  const [flipped, cut, replaced] = ['answers/alpha/one', 'answers.capture/beta/two', 'clean/gamma/two'].map(object) as [
    string,
    string,
    string,
  ]
  flipByte(flipped, 20)
  const { size } = statSync(cut)
  truncateSync(unlocked(cut), size - 1)
  writeFileSync(unlocked(replaced), Buffer.alloc(statSync(replaced).size, 'x'))
  rmSync(object('vectors/kind'))

  expect(found(await verify(workspace))).toEqual([
    `object answers.capture/beta/two has ${size - 1} bytes in place of ${size}: quarantined`,
    'object vectors/kind is gone: quarantined',
  ])
  expect(found(await verify(workspace, '--read-data'))).toEqual([
    'object answers/alpha/one does not match its digest: quarantined',
    'object clean/gamma/two does not match its digest: quarantined',
  ])
  expect(await verify(workspace)).toMatchObject({ code: 0, damage: [], lostCells: 14 })
  const { reasons } = await plan(workspace)
  expect(reasons.map(({ text }) => text)).toEqual([
    'object lost: 4 vectors, then up to 36 projections, 2 rankings, 1 overview, 6 report parts, 1 report',
    '3 objects damaged: 2 answers, 4 recordings, then up to 4 recordings, 8 projections, 2 rankings',
  ])

  const { finished } = await run(workspace)
  expect(finished.cells).toEqual({ ran: 14, reused: 168, failed: 0 })
  expect(cellDigests(workspace)).toEqual(before)
  expect(await verify(workspace, '--read-data')).toMatchObject({ code: 0, damage: [], lostCells: 0 })
})

test('--dry-run reports damage and leaves the store as it is', async () => {
  const workspace = finishedWorkspace()
  flipByte(objectFile(workspace, objectOf(workspace, 'clean/alpha/two')), 300)
  appendFileSync(unlocked(workspace.at('cache/manifests', manifestOf(workspace, 'vectors/rude'))), ' ')
  const before = storeFiles(workspace)
  const report = await verify(workspace, '--read-data', '--dry-run')
  expect(report.code).toBe(1)
  expect(found(report)).toEqual([
    'manifest vectors/rude does not match its digest: null',
    'object clean/alpha/two does not match its digest: null',
  ])
  expect(storeFiles(workspace)).toEqual(before)
  expect((await plan(workspace)).cells.run).toBe(0)
})

function unlocked(file: string): string {
  chmodSync(file, 0o644)
  return file
}

test('the report is text for people: what is damaged, which cells, what was done, what comes next', async () => {
  const workspace = finishedWorkspace()
  const { object, ...at } = objectOf(workspace, 'clean/alpha/two')
  rmSync(objectFile(workspace, { object, ...at }))
  const { code, stdout } = await dag(workspace.folder, ['verify'])
  expect(code).toBe(1)
  expect(
    stdout
      .replaceAll(/run \d{8}-\d{6}-[0-9a-f]{4}/g, 'run ID')
      .replaceAll(/\(\d+ kB\)/g, '(SIZE)')
      .split('\n'),
  ).toEqual([
    `${workspace.at('cache')}: 51 manifests, 182 cells, 51 objects (SIZE), 34 results shown`,
    'sizes checked, no data read (--read-data reads it)',
    '',
    `DAMAGED objects/${object.slice(0, 2)}/${object} is gone`,
    '  clean/alpha/two of audit, run ID: 4 cells (two_1@1, two_1@2, two_2@1, two_2@2)',
    '  taken out of use; what is left of it is in quarantine/',
    '',
    '1 damage found; `dag run` of the workflows that need them makes exactly those 4 cells again',
    '',
  ])
})

test('a lost and a damaged manifest are written anew from the index, and nothing is made again', async () => {
  const workspace = finishedWorkspace()
  const before = cellDigests(workspace)
  rmSync(workspace.at('cache/manifests', manifestOf(workspace, 'answers/beta/two')))
  flipByte(workspace.at('cache/manifests', manifestOf(workspace, 'clean/beta/two')), 50)
  expect(found(await verify(workspace))).toEqual([
    'manifest answers/beta/two is gone: rewritten',
    'manifest clean/beta/two does not match its digest: rewritten',
  ])
  expect(await verify(workspace)).toMatchObject({ code: 0, damage: [] })
  for (const suffix of ['', '-wal', '-shm']) rmSync(workspace.at(`cache/index.db${suffix}`), { force: true })
  expect((await plan(workspace)).cells).toEqual({ total: 182, run: 0, reuse: 182 })
  expect(cellDigests(workspace)).toEqual(before)
})

test('rows of the index that differ from their manifest are written anew, and nothing is made again', async () => {
  const workspace = finishedWorkspace()
  const before = cellDigests(workspace)
  const unit = (task: string) => `(SELECT id FROM units WHERE task = '${task}' ORDER BY id LIMIT 1)`
  changeIndex(workspace, `UPDATE cells SET digest = zeroblob(32) WHERE unit = ${unit('answers/alpha/two')} AND cell = 'two_1'`)
  changeIndex(workspace, `DELETE FROM cells WHERE unit = ${unit('clean/alpha/two')} AND cell = 'two_2@1'`)
  changeIndex(workspace, `UPDATE units SET shared = '{}' WHERE task = 'vectors/kind'`)
  changeIndex(workspace, `DELETE FROM uses WHERE unit = ${unit('scores/gamma/two/answers')}`)
  changeIndex(workspace, `UPDATE units SET maker = NULL WHERE task = 'ranking/two'`)
  const report = await verify(workspace)
  expect(found(report)).toEqual([
    'index answers/alpha/two has cell two_1 otherwise than its manifest: rewritten',
    'index clean/alpha/two has cell two_2@1 otherwise than its manifest: rewritten',
    'index ranking/two names another maker than its manifest: rewritten',
    'index scores/gamma/two/answers has other inputs than its manifest: rewritten',
    'index vectors/kind has other key components than its manifest: rewritten',
  ])
  expect(await verify(workspace)).toMatchObject({ code: 0, damage: [] })
  expect(cellDigests(workspace)).toEqual(before)
  expect((await plan(workspace)).cells.run).toBe(0)
})

test.for([
  ['no database any more', (file: string) => writeFileSync(file, Buffer.alloc(statSync(file).size, 'x'))],
  ['zeroed in the middle', (file: string) => writeFileSync(file, readFileSync(file).fill(0, 4096, 3 * 4096))],
] as const)('an index that is %s is kept aside and made again from the manifests', async ([, damage]) => {
  const workspace = finishedWorkspace()
  const before = cellDigests(workspace)
  changeIndex(workspace, 'PRAGMA wal_checkpoint(TRUNCATE)')
  damage(workspace.at('cache/index.db'))
  const report = await verify(workspace)
  expect(report.code).toBe(1)
  expect(report.damage.map(({ what, name, mended }) => [what, name, mended])).toEqual([['index', 'index.db', 'rebuilt']])
  expect(readdirSync(workspace.at('cache/quarantine')).map((name) => name.replace(/\d+$/, ''))).toContain('index.db.')
  expect(cellDigests(workspace)).toEqual(before)
  expect((await plan(workspace)).cells.run).toBe(0)
})

test('readings of a quarter of the store, one after another, reach every object', async () => {
  const workspace = finishedWorkspace()
  flipByte(objectFile(workspace, objectOf(workspace, 'answers/gamma/one')), 9)
  const readings: VerifyReport[] = []
  for (let reading = 0; reading < 4; reading++) readings.push(await verify(workspace, '--read-data-subset', '25%'))
  expect(readings.flatMap(found)).toEqual(['object answers/gamma/one does not match its digest: quarantined'])
  expect(readings.reduce((sum, { read }) => sum + (read?.objects ?? 0), 0)).toBeGreaterThanOrEqual(51)
  expect(readings.map(({ read }) => read?.more)).toEqual([3, 2, 1, expect.any(Number)])
})

test.each([
  ['a row', "UPDATE cells SET inputs = '[' || inputs", ['lineage', '--down', 'trait:kind'], "Expected ',' or ']' after array element"],
  ['a column', 'DELETE FROM standing; ALTER TABLE files RENAME COLUMN mtime TO mtima', ['plan', workflowFile], 'no such column: mtime'],
])('an index of which %s is not what was written is told as damaged', async (_, change, command, why) => {
  const workspace = finishedWorkspace()
  changeIndex(workspace, change)
  const { code, stderr } = await dag(workspace.folder, command)
  const [told, ...rest] = stderr.split('\n')
  expect(told).toMatch(/^error: the index is damaged: .* \[system\]$/)
  expect(told).toContain(why)
  const hint = '  hint: run `dag verify`: it keeps the index in quarantine and makes it again from the manifests'
  expect([code, rest]).toEqual([1, [hint, '']])
})

test('a result changed behind its times is found with --read-data; the next run puts it back and keeps the other aside', async () => {
  const workspace = freshWorkspace()
  workspace.write(workflowFile, 'workflow: one\nsteps:\n  a: { kind: command, run: "echo right > {out.o}", outputs: { o: o.txt } }\n')
  await run(workspace)
  const result = workspace.at('experiments/one/outputs/a/o.txt')
  writeFileSync(result, 'wrong\n')
  const { size, mtimeNs, ctimeNs, ino } = statSync(result, { bigint: true })
  changeIndex(workspace, `UPDATE views SET size = ${size}, mtime = '${mtimeNs}', ctime = '${ctimeNs}', inode = '${ino}'`)
  expect((await verify(workspace)).damage).toEqual([])
  expect(found(await verify(workspace, '--read-data'))).toEqual([
    'view  does not hold what the store holds, though its size and times are as written: forgotten',
  ])
  expect((await run(workspace)).finished.tasks).toEqual({ ran: 0, reused: 1, failed: 0 })
  expect([workspace.read('experiments/one/outputs/a/o.txt'), workspace.read('experiments/one/outputs/a/o.txt.edited-1')]).toEqual([
    'right\n',
    'wrong\n',
  ])
})

test('while a run holds the store damage is only reported; the run finds it too when it shows the result, and makes it again', async () => {
  const workspace = freshWorkspace()
  const gate = workspace.at('gate')
  workspace.write(
    workflowFile,
    `workflow: gated
steps:
  a: { kind: command, run: "echo a > {out.o}", outputs: { o: o.txt } }
  b: { kind: command, run: "until [ -e ${gate} ]; do sleep 0.05; done; tr a b < {in.x} > {out.o}", inputs: { x: { step: a, output: o } }, outputs: { o: o.txt } }
`,
  )
  const running = spawnDag(workspace.folder, ['run', '--ui', 'json', workflowFile])
  await new Promise<void>((resolve) =>
    running.stdout.on('data', (data) => /"type":"task-started","task":"b"/.test(String(data)) && resolve()),
  )
  flipByte(objectFile(workspace, objectOf(workspace, 'a')), 0)
  const report = await verify(workspace, '--read-data')
  expect(report).toMatchObject({
    code: 1,
    heldBy: expect.stringMatching(`^run \\S+ of ${workflowFile}: process ${running.pid}, since [-\\d]+ [:\\d]+ UTC, started as `),
  })
  expect(found(report)).toEqual(['object a does not match its digest: null'])
  writeFileSync(gate, '')
  expect(await new Promise((resolve) => running.on('close', resolve))).toBe(0)
  expect(await verify(workspace, '--read-data')).toMatchObject({ code: 0, damage: [] })
  expect(workspace.read('experiments/gated/outputs/a/o.txt')).toBe('a\n')
})

test('a folder without a store and a share that is none are refused', async () => {
  const workspace = freshWorkspace()
  expect(await dag(workspace.folder, ['verify'])).toEqual({
    code: 2,
    stdout: '',
    stderr: `error: there is no store at ${workspace.at('cache')} [no-store]\n  hint: go to the workspace, or name the folder of its store with --store\n\n1 error; nothing was started\n`,
  })
  expect(await dag(workspace.folder, ['verify', '--read-data-subset', '500%'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('"500%" is no share: write it like 5% or 0.05, above 0 and up to 100%'),
  })
})
