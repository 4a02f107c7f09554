import path from 'node:path'
import { expect, test } from 'vitest'
import type { RunEvent, RunFinished } from '../../engine/core/events.ts'
import type { PlanReport } from '../../engine/report/plan-report.ts'
import { seeded } from '../faults/random.ts'
import { dag, spawnDag } from '../support/dag.ts'
import { temporaryFolder } from '../support/files.ts'
import { root } from '../support/paths.ts'
import { changeIndex } from '../support/stored.ts'
import { type Workspace, workspaceAt } from '../support/workspace.ts'
import { damages, filesOf } from './random/damage.ts'
import { edits, pick } from './random/edits.ts'
import { experiment, firstJob, sourcesOf, workflowName, writeJob } from './random/job.ts'

/** Numbers of the walks, e.g. `1-60`. */
const [from, to] = (process.env.DAG_TEST_WALKS ?? '1-4').split('-').map(Number) as [number, number]
const stepsOfWalk = 6

// The same cells in other batches have other last bits on a real model: only made-up results can be compared to the bit.
const env = { DAG_SIDECAR: `${process.execPath} ${path.join(root, 'test/bench/instant-sidecar.mjs')} 4` }

const folder = () => workspaceAt(temporaryFolder())

async function plan(workspace: Workspace): Promise<PlanReport> {
  const { code, stdout, stderr } = await dag(workspace.folder, ['plan', '--json', workflowName], env)
  expect([code, stderr]).toEqual([0, ''])
  return JSON.parse(stdout) as PlanReport
}

async function eventsOfRun(workspace: Workspace, on: readonly string[] = []): Promise<RunEvent[]> {
  const { code, stdout, stderr } = await dag(workspace.folder, ['run', '--ui', 'json', ...on, workflowName], env)
  expect([code, stderr]).toEqual([0, ''])
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as RunEvent)
}

async function run(workspace: Workspace, on: readonly string[]): Promise<RunFinished> {
  return (await eventsOfRun(workspace, on)).at(-1) as RunFinished
}

/** Cells of tasks that read what the base itself answered as the clean model, too: its own reading has made them. */
function madeOnce(events: readonly RunEvent[]): number {
  const started = events.find((event) => event.type === 'run-started')
  const tasks = started?.tasks.filter(({ id }) => id.startsWith('clean/itself/') || /^(scores|along)\/itself\/.*\/clean$/.test(id)) ?? []
  return tasks.reduce((sum, { cells }) => sum + cells, 0)
}

/** Begins a run and kills it after so many events, if it has so many. */
async function killedRun(workspace: Workspace, on: readonly string[], events: number): Promise<void> {
  const child = spawnDag(workspace.folder, ['run', '--ui', 'json', ...on, workflowName], env)
  child.stderr.resume()
  let seen = 0
  child.stdout.on('data', (chunk: Buffer) => {
    seen += chunk.toString().split('\n').length - 1
    if (seen >= events) child.kill('SIGKILL')
  })
  await new Promise((resolve) => child.on('close', resolve))
}

/** What people look at, without what was kept aside of theirs. */
function shown(workspace: Workspace): Record<string, string> {
  const files = filesOf(workspace, experiment).filter((file) => !/\.edited-\d+$/.test(file))
  return Object.fromEntries(files.map((file) => [file, workspace.read(file)]))
}

test.each(Array.from({ length: to - from + 1 }, (_, index) => from + index))(
  'whatever is edited, damaged and killed, all is as if it had been made at once: walk %i',
  async (seed) => {
    const random = seeded(seed)
    const workspace = folder()
    const job = firstJob()
    const walk: string[] = []
    // Every other walk shares its work among three sidecars; what is made at once is made by one.
    const on = seed % 2 === 0 ? ['--device', 'cpu,cpu,cpu'] : []
    let indexLost = false
    for (let step = 0; step < stepsOfWalk; step++) {
      if (step > 0) {
        const chosen = Array.from({ length: 1 + Math.floor(random() * 2) }, () => pick(random, Object.keys(edits)))
        chosen.forEach((name, index) => edits[name]?.(job, random, 100 * step + index))
        const damage = random() < 0.4 ? pick(random, Object.keys(damages)) : null
        if (damage) damages[damage]?.(workspace, random)
        indexLost ||= damage === 'the index lost'
        walk.push(...chosen, ...(damage ? [damage] : []))
      }
      writeJob(workspace, job)
      const context = walk.join(', ')

      const planned = await plan(workspace)
      expect(
        planned.reasons.reduce((sum, { cells }) => sum + cells, 0),
        `reasons after ${context}`,
      ).toBe(planned.cells.run)
      changeIndex(workspace, 'DELETE FROM standing')
      expect(await plan(workspace), `the plan without what the last run noted, after ${context}`).toEqual(planned)

      if (random() < 0.25) await killedRun(workspace, on, Math.floor(random() * 60))
      const { cells } = await run(workspace, on)
      expect(cells.ran + cells.reused, `cells after ${context}`).toBe(planned.cells.total)
      for (let turn = 0; turn < 2; turn++)
        expect((await run(workspace, on)).cells, `again after ${context}`).toMatchObject({ ran: 0, failed: 0 })

      const atOnce = folder()
      sourcesOf(workspace, atOnce.folder)
      const events = await eventsOfRun(atOnce)
      const once = madeOnce(events)
      const made = { ran: planned.cells.total - once, reused: once, failed: 0 }
      expect((events.at(-1) as RunFinished).cells, `cells made at once after ${context}`).toEqual(made)
      const [found, wanted] = [shown(workspace), shown(atOnce)]
      // Which files were shown before is in the index.
      if (indexLost) for (const file of Object.keys(found)) if (!(file in wanted)) delete found[file]
      expect(found, `results after ${context}`).toEqual(wanted)
    }
    // Of what no run needed any more the damage is found now, once.
    await dag(workspace.folder, ['verify', '--read-data'], env)
    const { code, stdout } = await dag(workspace.folder, ['verify', '--read-data'], env)
    expect([code, stdout.trimEnd().split('\n').at(-1)], walk.join(', ')).toEqual([0, 'no damage'])
  },
)
