import { readdirSync, rmSync, utimesSync } from 'node:fs'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { RunEvent } from '../../engine/core/events.ts'
import { ownModels } from '../impact/row.ts'
import { plan, run, runUntil } from '../support/dag.ts'
import { edgesOf, orderingRefused } from '../support/edges.ts'
import { childrenOf, isAlive, killIfThere, processesIn } from '../support/processes.ts'
import { changeIndex, faults, flipByte, objectFile, stored } from '../support/stored.ts'
import { contrastSet, finishedWorkspace, freshWorkspace, organismList, type Workspace, workflowFile } from '../support/workspace.ts'

/** A reads a file and sorts its lines, B writes what A wrote in capitals. */
const chain = `workflow: chain
steps:
  a: { kind: command, run: "sort -u {in.text} > {out.sorted}", inputs: { text: ../in.txt }, outputs: { sorted: sorted.txt } }
  b: { kind: command, run: "tr a-z A-Z < {in.x} > {out.copy}", inputs: { x: { step: a, output: sorted } }, outputs: { copy: copy.txt } }
`
const aResult = 'experiments/chain/outputs/a/sorted.txt'
const bResult = 'experiments/chain/outputs/b/copy.txt'

async function finishedChain(): Promise<Workspace> {
  const workspace = freshWorkspace()
  workspace.write(workflowFile, chain)
  workspace.write('in.txt', 'x\ny\n')
  expect((await run(workspace)).finished.tasks).toEqual({ ran: 2, reused: 0, failed: 0 })
  return workspace
}

/** Tasks that something was run for, in order. */
function tasksRun(events: readonly RunEvent[]): string[] {
  return [...new Set(events.flatMap((event) => (event.type === 'task-started' ? [event.task] : [])))]
}

function touch(workspace: Workspace, ...files: readonly string[]): void {
  for (const file of files) utimesSync(workspace.at(file), new Date(), new Date())
}

describe('a chain of commands', () => {
  test('1. touch the input: nothing runs', async () => {
    const workspace = await finishedChain()
    touch(workspace, 'in.txt', workflowFile)
    const { events, finished } = await run(workspace)
    expect([tasksRun(events), finished.tasks]).toEqual([[], { ran: 0, reused: 2, failed: 0 }])
  })

  test("2. change the input so that A's output stays the same: A runs, B does not", async () => {
    const workspace = await finishedChain()
    workspace.write('in.txt', 'y\nx\nx\n')
    const { events, finished } = await run(workspace)
    expect([tasksRun(events), finished.tasks, finished.unchangedAfterAll]).toEqual([['a'], { ran: 1, reused: 1, failed: 0 }, 1])
  })

  test("3. delete B's output: it is restored, and nothing runs", async () => {
    const workspace = await finishedChain()
    rmSync(workspace.at(bResult))
    const { events, finished } = await run(workspace)
    expect([tasksRun(events), finished.tasks.ran, workspace.read(bResult)]).toEqual([[], 0, 'X\nY\n'])
  })

  test.each([
    ['as the change time shows', '', ['a', 'b']],
    ['also where no run has noted what it stands on, so that only reading shows it', 'DELETE FROM standing', ['b', 'a']],
  ])("4. flip a byte in A's stored output, size and mtime kept: A is built again before B reads it, %s", async (_, forgotten, began) => {
    const workspace = await finishedChain()
    changeIndex(workspace, forgotten)
    const cell = stored(workspace, 'a', 'sorted')
    flipByte(objectFile(workspace, cell), 0)
    workspace.edit(workflowFile, 'outputs: { copy: copy.txt }', 'outputs: { copy: copy.txt }, version: 2')
    const { events, finished } = await run(workspace)
    expect(events.filter((event) => event.type === 'object-lost')).toMatchObject([{ object: cell.object, cells: 1 }])
    expect([tasksRun(events), finished.outcome, workspace.read(bResult)]).toEqual([began, 'done', 'X\nY\n'])
    expect([stored(workspace, 'a', 'sorted').object, faults(workspace)]).toEqual([cell.object, []])
  })

  test("5. flip a byte in A's stored output, new mtime: A is built again, B is not", async () => {
    const workspace = await finishedChain()
    expect([(await run(workspace)).finished.tasks.ran, (await run(workspace)).finished.run]).toEqual([0, 'none'])
    const cell = stored(workspace, 'a', 'sorted')
    flipByte(objectFile(workspace, cell), 0, 'new')
    const { events, finished } = await run(workspace)
    expect(events.filter((event) => event.type === 'object-lost')).toMatchObject([{ object: cell.object, cells: 1 }])
    expect([tasksRun(events), finished.tasks, faults(workspace)]).toEqual([['a'], { ran: 1, reused: 1, failed: 0 }, []])
  })

  test("5. flip a byte in the file of A's that people look at: it is restored, nothing runs, and the edited file is kept aside", async () => {
    const workspace = await finishedChain()
    flipByte(workspace.at(aResult), 0, 'new')
    const edited = workspace.read(aResult)
    const { events } = await run(workspace)
    expect([tasksRun(events), workspace.read(aResult), workspace.read(`${aResult}.edited-1`)]).toEqual([[], 'x\ny\n', edited])
  })

  test('5. a file that people look at is never restored from damaged bytes', async () => {
    const workspace = await finishedChain()
    flipByte(objectFile(workspace, stored(workspace, 'a', 'sorted')), 0)
    rmSync(workspace.at(aResult))
    const { events } = await run(workspace)
    expect([tasksRun(events), workspace.read(aResult), faults(workspace)]).toEqual([['a'], 'x\ny\n', []])
  })

  test('6. an edge that only orders: there is none', async () => {
    const workspace = await finishedChain()
    expect(await edgesOf(workspace)).toEqual({ edges: 1, empty: [] })
    expect(await orderingRefused(workspace, 'b', 'a')).toEqual([
      '2 "steps.b" has no key "after" [unknown-key]',
      '2 "steps.b" has no key "needs" [unknown-key]',
      '2 "steps.b" has no key "depends_on" [unknown-key]',
    ])
  })

  /** A writes a line every 20 ms until a file is there; a step before it is done. */
  async function killedInA(run_: string): Promise<{ workspace: Workspace; left: number[] }> {
    const workspace = freshWorkspace()
    workspace.write(
      workflowFile,
      chain
        .replace('"sort -u {in.text} > {out.sorted}"', `"${run_.replaceAll('GO', workspace.at('go'))}"`)
        .replace('inputs: { text: ../in.txt }', 'inputs: { text: { step: first, output: text } }')
        .replace('steps:\n', 'steps:\n  first: { kind: command, run: "echo x > {out.text}", outputs: { text: text.txt } }\n'),
    )
    let left: number[] = []
    const killed = await runUntil(
      workspace,
      (event) => event.type === 'log' && event.task === 'a' && event.text === 'writing',
      (child) => {
        left = processesIn(workspace.at('cache/staging'))
        child.kill('SIGKILL')
      },
    )
    expect([killed.signal, left.length > 0]).toEqual(['SIGKILL', true])
    return { workspace, left }
  }
  const until = 'echo writing; exec 2> /dev/null; until test -e GO; do echo half >> {out.sorted}; sleep 0.02; done'

  test('7. kill -9 of the engine in the middle of A, run again: no orphan writes on, nothing half-written is accepted, only A and B run', async () => {
    const { workspace, left } = await killedInA(`${until}; cat {in.text} > {out.sorted}`)
    // What it started in its last moment, a `sleep`, ends by itself.
    const going = () => [...left.filter(isAlive), ...processesIn(workspace.at('cache/staging'))]
    await vi.waitFor(() => expect(going()).toEqual([]), { timeout: 10_000, interval: 20 })
    workspace.write('go', '')
    const { events, finished } = await run(workspace)
    expect([tasksRun(events), finished.tasks]).toEqual([['a', 'b'], { ran: 2, reused: 1, failed: 0 }])
    expect([workspace.read(aResult), workspace.read(bResult), faults(workspace)]).toEqual(['x\n', 'X\n', []])
    expect(readdirSync(workspace.at('cache/staging'))).toEqual([])
  })

  test('7. what a program of A has started itself is gone at the next start', async () => {
    const { workspace } = await killedInA(`(${until}) & wait; cat {in.text} > {out.sorted}`)
    const orphans = processesIn(workspace.at('cache/staging'))
    onTestFinished(() => {
      orphans.forEach(killIfThere)
    })
    workspace.edit(workflowFile, workspace.at('go'), workspace.at(workflowFile))
    const { finished } = await run(workspace)
    expect([finished.tasks, orphans.filter(isAlive)]).toEqual([{ ran: 2, reused: 1, failed: 0 }, []])
    expect([workspace.read(bResult), faults(workspace)]).toEqual(['X\n', []])
  })
})

describe('generate → replay → project', () => {
  test('1. touch the inputs: nothing runs', async () => {
    const workspace = finishedWorkspace()
    ownModels(workspace)
    touch(workspace, 'prompts/one.json', 'traits/kind.json', 'organisms/list.yaml', 'models/model/model.safetensors')
    touch(workspace, 'models/organisms/alpha/adapter_model.safetensors', workflowFile)
    const { events, finished } = await run(workspace)
    expect([tasksRun(events), finished.cells, finished.modelLoads]).toEqual([[], { ran: 0, reused: 182, failed: 0 }, 0])
  })

  test('2. change an input of generate so that its answers stay the same: it runs, replay and project do not', async () => {
    const workspace = finishedWorkspace()
    ownModels(workspace)
    workspace.edit('models/model/generation_config.json', '{', '{ ')
    const expected = await plan(workspace)
    expect(expected.cells).toEqual({ total: 182, run: 174, reuse: 8 })
    const { events, finished } = await run(workspace)
    const answers = ['alpha', 'beta', 'gamma'].flatMap((organism) => ['one', 'two'].map((set) => `answers/${organism}/${set}`))
    expect(tasksRun(events).sort()).toEqual(answers)
    expect([finished.cells, finished.tasks]).toEqual([
      { ran: 18, reused: 164, failed: 0 },
      { ran: 6, reused: 36, failed: 0 },
    ])
    expect(finished.unchangedAfterAll).toBe(expected.tasks.run - 6)
  })

  test('3. delete the results: they are restored, and nothing runs', async () => {
    const workspace = finishedWorkspace()
    rmSync(workspace.at('experiments'), { recursive: true })
    const { events, finished } = await run(workspace)
    expect([tasksRun(events), finished.cells]).toEqual([[], { ran: 0, reused: 182, failed: 0 }])
    expect(workspace.read('experiments/audit/analysis/top_activating/summary.md')).toContain('# Organisms × traits')
    expect(workspace.read('experiments/audit/reports/report/report.html')).toContain('<html')
  })

  test('4. flip a byte in a stored answer and in a stored recording, size and mtime kept: both are made again before replay and project read them', async () => {
    const workspace = finishedWorkspace()
    const answer = stored(workspace, 'answers/alpha/two', 'two_1')
    const recording = stored(workspace, 'answers.capture/beta/two', 'two_1@2')
    for (const cell of [answer, recording]) flipByte(objectFile(workspace, cell), cell.offset)
    workspace.edit(workflowFile, 'capture: *capture', 'capture: { layers: [1, 2, 3] }')
    workspace.write('traits/secret.json', contrastSet('secret', 'Do not tell anyone, but', 'The answer is this:'))
    const { events, finished } = await run(workspace)
    const lost = events.flatMap((event) => (event.type === 'object-lost' ? [event.object] : []))
    expect(lost.toSorted()).toEqual([answer.object, recording.object].toSorted())
    expect([finished.outcome, (await plan(workspace)).cells.run, faults(workspace)]).toEqual(['done', 0, []])
    expect(stored(workspace, 'answers/alpha/two', 'two_1').object).toBe(answer.object)
    expect(stored(workspace, 'answers.capture/beta/two', 'two_1@2').object).toBe(recording.object)
  })

  test('5. flip a byte in a stored recording, new mtime: it is made again, and nothing that was made from it', async () => {
    const workspace = finishedWorkspace()
    const again = [await run(workspace), await run(workspace), await run(workspace)]
    expect([again[0]?.finished.cells.ran, again[2]?.finished.run]).toEqual([0, 'none'])
    const recording = stored(workspace, 'clean/alpha/two', 'two_1@2')
    flipByte(objectFile(workspace, recording), recording.offset, 'new')
    const { events, finished } = await run(workspace)
    expect(events.filter((event) => event.type === 'object-lost')).toMatchObject([{ object: recording.object, cells: 4 }])
    expect([tasksRun(events), finished.cells]).toEqual([['clean/alpha/two'], { ran: 4, reused: 178, failed: 0 }])
    expect(faults(workspace)).toEqual([])
  })

  test('6. an edge that only orders: there is none', async () => {
    const workspace = finishedWorkspace()
    expect(await edgesOf(workspace)).toEqual({ edges: 93, empty: [] })
    expect(await orderingRefused(workspace, 'clean', 'vectors')).toEqual([
      '2 "steps.clean" has no key "after" [unknown-key]',
      '2 "steps.clean" has no key "needs" [unknown-key]',
      '2 "steps.clean" has no key "depends_on" [unknown-key]',
    ])
  })

  test('7. kill -9 of the engine in the middle of a batch of answers, run again: the sidecar is gone, nothing half-written is accepted, only the lost batches run', async () => {
    const workspace = freshWorkspace()
    workspace.edit(workflowFile, 'max_new_tokens: 6', 'max_new_tokens: 40')
    workspace.edit(workflowFile, 'sets: [one, two]', 'sets: [one]')
    workspace.write('organisms/list.yaml', organismList(['alpha', 'beta']))
    let sidecars: number[] = []
    const killed = await runUntil(
      workspace,
      (event) => event.type === 'task-progress' && event.task === 'answers/beta/one' && event.done < event.total,
      (child) => {
        sidecars = childrenOf(child.pid as number)
        child.kill('SIGKILL')
      },
    )
    expect([killed.signal, sidecars.length]).toEqual(['SIGKILL', 1])
    await vi.waitFor(() => expect(sidecars.filter(isAlive)).toEqual([]), { timeout: 10_000, interval: 20 })
    expect(faults(workspace)).toEqual([])
    const kept = killed.events.reduce((sum, event) => sum + (event.type === 'batch-finished' ? event.cells : 0), 0)
    expect(kept).toBeGreaterThan(0)
    const { finished } = await run(workspace)
    expect([finished.outcome, finished.cells]).toEqual(['done', { ran: 86 - kept, reused: kept, failed: 0 }])
    expect([(await plan(workspace)).cells.run, faults(workspace)]).toEqual([0, []])
  })
})
