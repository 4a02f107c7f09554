import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { RecomputeReport } from '../../engine/core/recomputed.ts'
import { dag, plan, run } from '../support/dag.ts'
import { cellDigests, changeIndex, objectFile, objectOf, rows } from '../support/stored.ts'
import { contrastSet, finishedWorkspace, freshWorkspace, type Workspace, workflowFile } from '../support/workspace.ts'

const layers = '{ layers: [1, 2] }'
const evicting = '{ layers: [1, 2], raw: evict-after-projection }'

function evict(workspace: Workspace): Workspace {
  workspace.edit(workflowFile, layers, evicting)
  return workspace
}

function addTrait(workspace: Workspace): void {
  workspace.write('traits/dull.json', contrastSet('dull', 'How tedious a question,', 'The answer is this:'))
}

/** Objects of recordings, and those of them whose bytes are there. */
function recordings(workspace: Workspace): { all: number; there: number } {
  const found = rows<{ object: string }>(
    workspace,
    "SELECT DISTINCT slot ->> '$.object' AS object FROM cells JOIN units ON units.id = unit WHERE operation = 'capture'",
  )
  return { all: found.length, there: found.filter(({ object }) => existsSync(objectFile(workspace, { object, offset: 0 }))).length }
}

test('recordings are given up once they are projected, and every result is that of kept ones, bit for bit', async () => {
  const workspace = evict(freshWorkspace())
  const { code, finished, events } = await run(workspace)
  const givenUp = events.flatMap((event) => (event.type === 'given-up' ? [event] : []))
  expect([code, givenUp.length, finished.givenUp]).toEqual([0, 12, givenUp.reduce((sum, { bytes }) => sum + bytes, 0)])
  expect(recordings(workspace)).toEqual({ all: 18, there: 0 })
  expect(cellDigests(workspace)).toEqual(cellDigests(finishedWorkspace()))
})

test('what was given up counts as made: nothing runs, also without the index, and verify and gc miss nothing', async () => {
  const workspace = evict(freshWorkspace())
  await run(workspace)
  for (const suffix of ['', '-wal', '-shm']) rmSync(workspace.at(`cache/index.db${suffix}`), { force: true })
  expect((await run(workspace)).finished.cells).toEqual({ ran: 0, reused: 182, failed: 0 })
  const verified = await dag(workspace.folder, ['verify', '--read-data', '--json'])
  expect([verified.code, JSON.parse(verified.stdout)]).toEqual([0, expect.objectContaining({ damage: [], lostCells: 0 })])
  const collected = await dag(workspace.folder, ['gc', '--yes', '--grace', '0', '--json'])
  expect(JSON.parse(collected.stdout).go).toMatchObject({ units: 0, objects: 0 })
  expect((await plan(workspace)).cells).toEqual({ total: 182, run: 0, reuse: 182 })
})

test('recordings that nothing reads yet are not given up, and a collection leaves them to what will', async () => {
  const workspace = evict(freshWorkspace())
  const steps = workspace.read(workflowFile)
  workspace.write(workflowFile, steps.slice(0, steps.indexOf('  scores:')))
  await run(workspace)
  const collected = await dag(workspace.folder, ['gc', '--yes', '--grace', '0', '--json'])
  expect([JSON.parse(collected.stdout).go.units, recordings(workspace)]).toEqual([0, { all: 18, there: 18 }])
  workspace.write(workflowFile, steps)
  const { finished } = await run(workspace)
  expect([finished.modelLoads, finished.cells]).toEqual([0, { ran: 72 + 5 + 7, reused: 98, failed: 0 }])
  expect(recordings(workspace)).toEqual({ all: 18, there: 0 })
})

test('what two steps read alike is read once, given up when both have been used, and stays where one of them keeps it', async () => {
  for (const [raw, there] of [
    ['evict-after-projection', 0],
    ['keep', 9],
  ] as const) {
    const workspace = evict(freshWorkspace())
    const clean = `kind: replay, of: answers, through: tiny, batch_size: 2, capture: { layers: [1, 2], raw: ${raw} }`
    workspace.edit(
      workflowFile,
      '  scores:',
      `  again: { ${clean} }\n  others: { kind: project, of: again, onto: vectors, layers: [2] }\n  scores:`,
    )
    const { code, events, finished } = await run(workspace)
    expect([code, finished.cells, events.filter(({ type }) => type === 'object-lost')]).toEqual([
      0,
      { ran: 182, reused: 36 + 36, failed: 0 },
      [],
    ])
    expect(recordings(workspace)).toEqual({ all: 18, there })
    expect((await run(workspace)).finished.cells).toEqual({ ran: 0, reused: 182 + 36 + 36, failed: 0 })
  }
})

test('a new trait reads again the layer that it is projected at, says so before, and gets what kept recordings give', async () => {
  const [kept, workspace] = [finishedWorkspace(), evict(freshWorkspace())]
  await run(workspace)
  for (const each of [kept, workspace]) addTrait(each)
  const [cheap, dear] = [await plan(kept), await plan(workspace)]
  expect([cheap.modelLoads, cheap.adapterSwitches, cheap.cells]).toEqual([1, 0, { total: 224, run: 50, reuse: 174 }])
  expect([dear.modelLoads, dear.adapterSwitches, dear.cells]).toEqual([1, 3, { total: 224, run: 86, reuse: 138 }])
  expect(dear.reasons.map(({ text }) => text)).toEqual([
    '+1 trait `dull`: 4 vectors, 36 projections, 2 rankings, then up to 1 overview, 6 report parts, 1 report',
    'given up after use and wanted again: 36 recordings',
  ])
  await run(kept)
  expect((await run(workspace)).finished.cells).toEqual({ ran: 86, reused: 138, failed: 0 })
  expect(cellDigests(workspace)).toEqual(cellDigests(kept))
  expect(recordings(workspace).there).toBe(0)
})

test('why a recording runs is told before and after', async () => {
  const workspace = evict(freshWorkspace())
  await run(workspace)
  addTrait(workspace)
  const why = async () => (await dag(workspace.folder, ['why', workflowFile, 'clean/alpha/two'])).stdout
  const told = 'and was given up after use; what runs now reads it again'
  expect(await why()).toContain(told)
  await run(workspace)
  expect(await why()).toContain(told)
})

test('who begins to give up what is kept frees it and makes nothing; who keeps again makes it anew', async () => {
  const workspace = evict(finishedWorkspace())
  expect((await run(workspace)).finished.cells.ran).toBe(0)
  expect(recordings(workspace).there).toBe(0)
  workspace.edit(workflowFile, evicting, layers)
  expect((await plan(workspace)).reasons.map(({ text }) => text)).toEqual(['given up after use and wanted again: 36 recordings'])
  expect((await run(workspace)).finished.cells).toEqual({ ran: 72, reused: 110, failed: 0 })
  expect(recordings(workspace)).toEqual({ all: 18, there: 18 })
})

test('what another workflow keeps, or a pinned run stands on, is not given up', async () => {
  const workspace = finishedWorkspace()
  workspace.write(
    'workflows/other.yaml',
    workspace.read(workflowFile).replace('workflow: audit', 'workflow: other').replace(layers, evicting),
  )
  expect((await dag(workspace.folder, ['run', 'workflows/other.yaml'])).code).toBe(0)
  expect(recordings(workspace).there).toBe(18)

  const pinned = finishedWorkspace()
  const [id] = readdirSync(pinned.at('cache/runs')) as [string]
  expect((await dag(pinned.folder, ['gc', '--pin', id])).code).toBe(0)
  expect((await run(evict(pinned))).finished.givenUp).toBe(0)
  expect(recordings(pinned).there).toBe(18)
})

test('what reads the store beside a run does without what was given up, and says so', async () => {
  const workspace = evict(freshWorkspace())
  await run(workspace)
  const exported = await dag(workspace.folder, ['export', 'trait-interp', workflowFile, '--to', 'theirs-now', '--recordings'])
  expect([exported.code, exported.stdout]).toEqual([
    0,
    `written to theirs-now: 36 responses, 8 vectors, 72 projections
left out, since given up after use: 36 recordings; with \`raw: keep\` the next run makes them again
`,
  ])
  const again = await dag(workspace.folder, ['verify', '--recompute', '12', '--json', workflowFile])
  const { cells, failed } = JSON.parse(again.stdout) as RecomputeReport
  expect([again.code, failed]).toEqual([0, []])
  expect(new Set(cells.map(({ operation }) => operation))).toEqual(new Set(['extract', 'generate']))
})

test('a run that was killed while it gave something up has lost nothing: until the index forgets it, it is there, and then it is given up', async () => {
  const workspace = finishedWorkspace()
  const { object } = objectOf(workspace, 'clean/alpha/one')
  mkdirSync(workspace.at('cache/evicted'))
  workspace.write(`cache/evicted/${object}`, '')
  expect((await plan(workspace)).cells).toMatchObject({ run: 0 })

  changeIndex(workspace, `DELETE FROM objects WHERE digest = unhex('${object}'); DELETE FROM standing`)
  evict(workspace)
  expect((await plan(workspace)).cells).toMatchObject({ run: 0 })
  expect((await dag(workspace.folder, ['verify', '--read-data'])).code).toBe(0)
  expect((await run(workspace)).finished.cells.ran).toBe(0)
  expect(recordings(workspace).there).toBe(0)
})
