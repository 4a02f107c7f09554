import { setTimeout as wait } from 'node:timers/promises'
import { beforeAll, expect, test, vi } from 'vitest'
import { spawnDag } from '../support/dag.ts'
import setup from '../support/global-setup.ts'
import { finished } from '../support/paths.ts'
import { childrenOf, isAlive, killIfThere } from '../support/processes.ts'
import { freshWorkspace, type Workspace, workflowFile } from '../support/workspace.ts'
import { differences, leftovers, type Outcome, outcomeOf, violations } from './invariants.ts'
import { seeded } from './random.ts'
import { ended, eventsOf } from './workload.ts'

type Victim = 'engine' | 'sidecar' | 'both'

/** Twelve series of nine kills: 108 in all. A series goes on in one workspace until everything is done, then in a new one. */
const killsOfSeries = 9
const series = (['engine', 'sidecar', 'both'] as const).flatMap((victim) => [1, 2, 3, 4].map((number) => [victim, number] as const))

/** About as long as an undisturbed run of the small model takes here. */
const longestMs = 7_000

let reference: Outcome
beforeAll(async () => {
  await setup()
  reference = outcomeOf(finished)
})

test.for(series)(
  'kill -9 of %s at random moments loses nothing that was reported, series %i',
  { timeout: 600_000 },
  async ([victim, number]) => {
    const random = seeded(number * 10 + victim.length)
    let workspace = freshWorkspace()
    let kills = 0
    let smaller = false
    while (kills < killsOfSeries) {
      const run = await killedRun(workspace, victim, () => random() * longestMs, killsOfSeries - kills)
      kills += run.kills
      // Three kills in one batch fail its organism: what is shown is then of the others, until a run is done.
      smaller ||= run.events.some((event) => event.type === 'run-finished' && event.leftOut !== undefined)
      const found = violations(workspace.folder, reference, run.events)
      expect(smaller ? found.filter((line) => !line.startsWith('I2 the shown file')) : found).toEqual([])
      if (run.code === 0) [workspace, smaller] = [checked(workspace, smaller), false]
    }
    expect(kills).toBe(killsOfSeries)
    const last = await killedRun(workspace, victim, () => 0, 0)
    expect([last.code, last.stderr]).toEqual([0, ''])
    checked(workspace, smaller)
  },
)

/** What is done is what an undisturbed run makes, with rankings of fewer organisms beside it where there was need; a new workspace to go on with. */
function checked(workspace: Workspace, smaller: boolean): Workspace {
  const outcome = outcomeOf(workspace.folder)
  const made = new Set([...outcome.cells].map((cell) => JSON.stringify(cell)))
  expect([...reference.cells].filter((cell) => !made.has(JSON.stringify(cell)))).toEqual([])
  expect([...differences(outcome, reference, smaller ? ['shown'] : undefined), ...leftovers(workspace.folder)]).toEqual([])
  return freshWorkspace()
}

/** Runs the workflow and kills; the sidecar alone again and again, since the same run goes on without it. */
async function killedRun(workspace: Workspace, victim: Victim, pause: () => number, most: number) {
  const child = spawnDag(workspace.folder, ['run', '--ui', 'json', workflowFile])
  const engine = child.pid as number
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk) => (stdout += chunk))
  child.stderr.on('data', (chunk) => (stderr += chunk))
  const end = ended(child)
  let kills = 0
  let sidecars: readonly number[] = []
  while (kills < most && child.exitCode === null && child.signalCode === null) {
    await Promise.race([wait(pause()), end])
    sidecars = childrenOf(engine)
    if (victim !== 'engine') kills += Number(sidecars.map(killIfThere).includes(true))
    if (victim === 'sidecar') continue
    kills += Number(killIfThere(engine) && (victim === 'engine' || sidecars.length === 0))
    break
  }
  const { code } = await end
  await vi.waitFor(() => expect(sidecars.filter(isAlive)).toEqual([]), { timeout: 10_000, interval: 20 })
  return { kills, code, stderr, events: eventsOf(stdout) }
}
