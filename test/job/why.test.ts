import { existsSync, rmSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { ownModels } from '../impact/row.ts'
import { dag, plan, run } from '../support/dag.ts'
import { flipByte, objectFile, stored } from '../support/stored.ts'
import { contrastSet, finishedWorkspace, freshWorkspace, type Workspace, workflowFile } from '../support/workspace.ts'

/** What `dag why` prints, with the names of runs and digests left out. */
async function why(workspace: Workspace, task: string, ...flags: string[]): Promise<string[]> {
  const { stdout, stderr } = await dag(workspace.folder, ['why', workflowFile, task, ...flags])
  expect(stderr).toBe('')
  return stdout
    .replaceAll(/\b\d{8}-\d{6}-[0-9a-f]{4}\b/g, 'RUN')
    .replaceAll(/\b[0-9a-f]{12}\b/g, 'DIGEST')
    .trimEnd()
    .split('\n')
}

async function whyJson(workspace: Workspace, task: string, ...flags: string[]): Promise<Record<string, unknown>[]> {
  const { stdout } = await dag(workspace.folder, ['why', '--json', workflowFile, task, ...flags])
  return (JSON.parse(stdout) as { cells: Record<string, unknown>[] }).cells
}

function loseIndex(workspace: Workspace): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(workspace.at(`cache/index.db${suffix}`), { force: true })
}

/** The last two read the first: `upper` all of it, `both` with a file of its own. */
const chain = `workflow: chain
steps:
  sorted: { kind: command, run: "sort -u {in.text} > {out.o}", inputs: { text: ../in.txt }, outputs: { o: o.txt } }
  upper: { kind: command, run: "tr a-z A-Z < {in.x} > {out.o}", inputs: { x: { step: sorted, output: o } }, outputs: { o: o.txt } }
  twice: { kind: command, run: "cat {in.x} {in.x} > {out.o}", inputs: { x: { step: upper, output: o } }, outputs: { o: o.txt } }
  both:
    kind: command
    run: "cat {in.x} {in.own} > {out.o}"
    inputs: { x: { step: sorted, output: o }, own: ../own.txt }
    outputs: { o: o.txt }
`

async function finishedChain(): Promise<Workspace> {
  const workspace = freshWorkspace()
  workspace.write(workflowFile, chain)
  workspace.write('in.txt', 'x\ny\n')
  workspace.write('own.txt', 'own\n')
  expect((await run(workspace)).finished.tasks).toEqual({ ran: 4, reused: 0, failed: 0 })
  return workspace
}

describe('before a run', () => {
  test('a changed key is told part by part, each with the line it is written on', async () => {
    const workspace = finishedWorkspace()
    workspace.edit(workflowFile, 'max_new_tokens: 6', 'max_new_tokens: 7')
    workspace.edit('prompts/two.json', 'Who are you?', 'Who are you then?')
    expect(await why(workspace, 'answers/alpha/two')).toEqual([
      'answers/alpha/two',
      '  1 cell (two_1) would run: key changed since run RUN',
      '      max_new_tokens: 6 → 7   workflows/audit.yaml:12:21',
      '      prompt: "Who are you?" → "Who are you then?"   prompts/two.json:8:15',
      '  1 cell (two_2) would run: key changed since run RUN',
      '      max_new_tokens: 6 → 7   workflows/audit.yaml:12:21',
    ])
  })

  test('an adapter that changed leads to the line that names it', async () => {
    const workspace = finishedWorkspace()
    workspace.edit('organisms/list.yaml', 'organisms/beta }', 'organisms/delta }')
    expect(await why(workspace, 'answers/beta/two:two_1')).toEqual([
      'answers/beta/two',
      '  1 cell (two_1) would run: key changed since run RUN',
      '      adapter: DIGEST → DIGEST   organisms/list.yaml:3:20 (../models/organisms/delta)',
    ])
    expect((await plan(workspace)).reasons.map(({ text, what }) => [text, what])).toEqual([
      [
        'adapter of organism `beta` changed: 6 answers, 6 recordings, then up to 6 recordings, 24 projections, 4 rankings, 1 overview, 2 report parts, 1 report',
        [{ name: 'beta', place: { file: 'organisms/list.yaml', line: 3, column: 20, names: '../models/organisms/delta' } }],
      ],
    ])
  })

  test('a cell that waits names what it waits for and what is behind that', async () => {
    const workspace = finishedWorkspace()
    workspace.edit(workflowFile, 'max_new_tokens: 6', 'max_new_tokens: 7')
    expect(await why(workspace, 'clean/alpha/two:two_1@1')).toEqual([
      'clean/alpha/two',
      '  1 cell (two_1@1) would run if an input comes out differently than for run RUN: it waits for answers/alpha/two',
      '      because `max_new_tokens` 6 → 7 in `answers`   workflows/audit.yaml:12:21',
    ])
  })

  test('a new cell says what is new, and how it differs from the nearest earlier one', async () => {
    const workspace = finishedWorkspace()
    workspace.write('traits/secret.json', contrastSet('secret', 'Do not tell anyone, but', 'The answer is this:'))
    expect(await why(workspace, 'vectors/secret')).toEqual([
      'vectors/secret',
      '  4 cells (secret@1:mean_diff, secret@1:probe, secret@2:mean_diff, …) would run: new: trait secret was not there before',
      '      nearest earlier: vectors/kind:kind@1:mean_diff of run RUN, which differs in',
      '        pairs: DIGEST → DIGEST',
    ])
    expect(await why(workspace, 'scores/alpha/two/clean')).toEqual([
      'scores/alpha/two/clean',
      '  2 cells (two_1@2:secret:mean_diff, two_2@2:secret:mean_diff) would run: new: trait secret was not there before; it waits for vectors/secret',
      '      because +1 trait `secret`',
      '  4 cells (two_1@2:kind:mean_diff, two_1@2:rude:mean_diff, two_2@2:kind:mean_diff, …) ran in run RUN: new: this workflow has made nothing before',
    ])
  })

  test('an object that is gone, and one of another length, would be rebuilt', async () => {
    const workspace = await finishedChain()
    const cell = stored(workspace, 'upper', 'o')
    rmSync(objectFile(workspace, cell), { force: true })
    expect(await why(workspace, 'upper')).toEqual([
      'upper',
      '  1 cell (o) would be rebuilt: unchanged since run RUN, but object DIGEST is gone from the store',
    ])
    expect(await whyJson(workspace, 'upper')).toMatchObject([
      {
        cell: 'o',
        tells: 'plan',
        run: null,
        verdict: 'rebuilt',
        damage: { object: cell.object, state: 'gone', noticed: null, quarantine: null },
      },
    ])
  })

  test('a run that the store has no reasons of is refused', async () => {
    const workspace = finishedWorkspace()
    const { code, stderr } = await dag(workspace.folder, ['why', workflowFile, 'report', '--run', 'nothing'])
    expect(code).toBe(2)
    expect(stderr).toBe(`error: the store has no reasons of a run "nothing" [unknown-run]
  hint: they go with the run: see the folder runs/ of the store

1 error; nothing was started
`)
  })
})

describe('after a run', () => {
  test('a chain of commands stops where an output stays the same, and each task can say why it ran or did not', async () => {
    const workspace = await finishedChain()
    workspace.write('in.txt', 'y\nx\nx\n')
    workspace.write('own.txt', 'other\n')
    expect(await why(workspace, 'both')).toEqual([
      'both',
      '  1 cell (o) would run: key changed since run RUN; it waits for sorted',
      '      files.own: DIGEST → DIGEST   own.txt',
      '      because file `../own.txt` edited   own.txt',
      '      because file `../in.txt` edited   in.txt',
    ])
    expect((await plan(workspace)).reasons.map(({ text }) => text)).toEqual([
      '2 files edited (`../in.txt`, `../own.txt`): 2 outputs, then up to 2 outputs',
    ])
    const ran = await dag(workspace.folder, ['run', workflowFile, '--ui', 'plain'])
    expect(ran.stdout).toContain('2 tasks unchanged after all: upper, twice\n')
    expect(ran.stdout).toContain('  2 tasks unchanged after all: expected to run, but the inputs came out as before\n')
    const told = async () => [...(await why(workspace, 'sorted')), ...(await why(workspace, 'twice')), ...(await why(workspace, 'both'))]
    const expected = [
      'sorted',
      '  1 cell (o) ran in run RUN: key changed since run RUN',
      '      files.text: DIGEST → DIGEST   in.txt',
      'twice',
      '  1 cell (o) unchanged after all: run RUN expected to make it, but its inputs came out as before; served since run RUN, from object DIGEST',
      'both',
      '  1 cell (o) ran in run RUN: key changed since run RUN',
      '      files.own: DIGEST → DIGEST   own.txt',
    ]
    expect(await told()).toEqual(expected)
    expect((await run(workspace)).finished.tasks.ran).toBe(0)
    loseIndex(workspace)
    expect(await told()).toEqual(expected)
  })

  test('what another task of the same run has made first is taken over, and says so', async () => {
    const workspace = freshWorkspace()
    workspace.edit(
      workflowFile,
      '  scores:',
      '  again: { kind: replay, of: answers, through: tiny, capture: { layers: [1] }, batch_size: 2 }\n  scores:',
    )
    expect((await plan(workspace)).cells).toEqual({ total: 200, run: 200, reuse: 0 })
    const { finished, events } = await run(workspace)
    expect([finished.cells, finished.tasks, finished.unchangedAfterAll]).toEqual([
      { ran: 182, reused: 18, failed: 0 },
      { ran: 42, reused: 6, failed: 0 },
      0,
    ])
    expect(events.flatMap((event) => (event.type === 'task-started' && event.task.startsWith('again') ? [event] : []))).toEqual([])
    expect(await why(workspace, 'again/alpha/one:one_1@1')).toEqual([
      'again/alpha/one',
      '  1 cell (one_1@1) made already when its turn came: another task of run RUN had the same cell, served from object DIGEST',
    ])
  })

  test('a change of a source is followed through the cells that were made from it', async () => {
    const workspace = await finishedChain()
    workspace.write('in.txt', 'z\n')
    const { finished } = await run(workspace)
    expect([finished.tasks, finished.unchangedAfterAll]).toEqual([{ ran: 4, reused: 0, failed: 0 }, 0])
    expect(await why(workspace, 'twice')).toEqual([
      'twice',
      '  1 cell (o) ran in run RUN: key changed since run RUN',
      '      inputs.x: DIGEST → DIGEST   output of upper:o',
      '      goes back to sorted:o: files.text: DIGEST → DIGEST   in.txt',
    ])
    expect(await whyJson(workspace, 'twice')).toMatchObject([
      { tells: 'run', run: finished.run, verdict: 'changed', roots: [{ at: 'sorted:o' }] },
    ])
  })

  test('an earlier run can still be asked about', async () => {
    const workspace = await finishedChain()
    workspace.write('own.txt', 'other\n')
    const second = (await run(workspace)).finished.run
    workspace.write('own.txt', 'third\n')
    await run(workspace)
    workspace.write('own.txt', 'other\n')
    expect((await run(workspace)).finished.tasks.ran).toBe(0)
    expect(await why(workspace, 'both')).toEqual(['both', '  1 cell (o) unchanged and served since run RUN, from object DIGEST'])
    expect(await whyJson(workspace, 'both', '--run', second)).toMatchObject([{ tells: 'run', run: second, verdict: 'changed' }])
  })

  test('a damaged object that was made again says when it was noticed and where its bytes are kept', async () => {
    const workspace = await finishedChain()
    const cell = stored(workspace, 'sorted', 'o')
    flipByte(objectFile(workspace, cell), 0)
    workspace.edit(workflowFile, 'cat {in.x} {in.own}', 'cat {in.own} {in.x}')
    const before = Date.now()
    const { finished } = await run(workspace)
    expect([finished.outcome, finished.cells]).toEqual(['done', { ran: 2, reused: 2, failed: 0 }])
    const [told] = await whyJson(workspace, 'sorted')
    const damage = (told as { damage: { noticed: number; quarantine: string } }).damage
    expect(told).toMatchObject({ tells: 'run', run: finished.run, verdict: 'rebuilt', damage: { object: cell.object, state: 'damaged' } })
    expect(existsSync(workspace.at('cache', damage.quarantine))).toBe(true)
    expect(damage.noticed).toBeGreaterThanOrEqual(before)
    expect(await why(workspace, 'sorted')).toEqual([
      'sorted',
      `  1 cell (o) rebuilt in run RUN: unchanged since run RUN, but object DIGEST was damaged: noticed ${new Date(damage.noticed).toISOString()}, kept as ${damage.quarantine} in the store`,
    ])
    expect(await why(workspace, 'both')).toEqual([
      'both',
      '  1 cell (o) ran in run RUN: key changed since run RUN',
      '      run: "cat {in.x} {in.own} > {out.o}" → "cat {in.own} {in.x} > {out.o}"   workflows/audit.yaml:8:10',
    ])
  })

  test('answers that come out as before leave everything after them untouched, and say so', async () => {
    const workspace = finishedWorkspace()
    ownModels(workspace)
    workspace.edit('models/model/generation_config.json', '{', '{ ')
    const expected = await plan(workspace)
    expect(expected.reasons.map(({ text }) => text)).toEqual([
      'other weights or tokenizer of model `tiny`: 18 answers, then up to 36 recordings, 72 projections, 4 rankings, 1 overview, 6 report parts, 1 report',
    ])
    const ran = await dag(workspace.folder, ['run', workflowFile, '--ui', 'plain'])
    expect(ran.stdout).toContain(
      `  ${expected.tasks.run - 6} tasks unchanged after all: expected to run, but the inputs came out as before\n`,
    )
    expect(await why(workspace, 'answers/alpha/two')).toEqual([
      'answers/alpha/two',
      '  2 cells (two_1, two_2) ran in run RUN: key changed since run RUN',
      '      model.generation_config: DIGEST → DIGEST   workflows/audit.yaml:3:19 (../models/model)',
    ])
    expect((await why(workspace, 'ranking/two'))[1]).toBe(
      '  2 cells (kind@2:mean_diff, rude@2:mean_diff) unchanged after all: run RUN expected to make it, but its inputs came out as before; served since run RUN, from object DIGEST',
    )
  })
})
