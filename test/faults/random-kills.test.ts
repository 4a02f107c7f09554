import { setTimeout as wait } from 'node:timers/promises'
import { beforeAll, expect, test, vi } from 'vitest'
import { spawnDag } from '../support/dag.ts'
import setup from '../support/global-setup.ts'
import { finished } from '../support/paths.ts'
import { childrenOf, isAlive, killIfThere } from '../support/processes.ts'
import { freshWorkspace, type Workspace, workflowFile } from '../support/workspace.ts'
import { differences, leftovers, type Outcome, type OutcomePart, outcomeOf, outcomeParts, violations } from './invariants.ts'
import { seeded } from './random.ts'
import { ended, eventsOf } from './workload.ts'

type Victim = 'engine' | 'sidecar' | 'both'

/**
 * Twelve series of nine kills: 108 in all. A series goes on in one workspace until everything is done, then in a new one.
 * The last of a kind has two sidecars at work; where sidecars alone are killed, one of them at a time.
 */
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
    const two = number === 4
    const on = two ? ['--device', 'cpu,cpu'] : []
    // Of two, manifests say which came first to a reading that two tasks have in common, and how many threads each had.
    const parts = two ? (['cells', 'shown'] as const) : outcomeParts
    let workspace = freshWorkspace()
    let kills = 0
    let smaller = false
    while (kills < killsOfSeries) {
      const run = await killedRun({ workspace, victim, on, random, most: killsOfSeries - kills })
      kills += run.kills
      // Three kills in one batch fail its organism: what is shown is then of the others, until a run is done.
      smaller ||= run.events.some((event) => event.type === 'run-finished' && event.leftOut !== undefined)
      const found = violations(workspace.folder, reference, run.events)
      expect(smaller ? found.filter((line) => !line.startsWith('I2 the shown file')) : found).toEqual([])
      if (run.code === 0) [workspace, smaller] = [checked(workspace, smaller, parts), false]
    }
    expect(kills).toBe(killsOfSeries)
    const last = await killedRun({ workspace, victim, on, random, most: 0 })
    expect([last.code, last.stderr]).toEqual([0, ''])
    checked(workspace, smaller, parts)
  },
)

/** What is done is what an undisturbed run makes, with rankings of fewer organisms beside it where there was need; a new workspace to go on with. */
function checked(workspace: Workspace, smaller: boolean, parts: readonly OutcomePart[]): Workspace {
  const outcome = outcomeOf(workspace.folder)
  const made = new Set([...outcome.cells].map((cell) => JSON.stringify(cell)))
  expect([...reference.cells].filter((cell) => !made.has(JSON.stringify(cell)))).toEqual([])
  expect([...differences(outcome, reference, smaller ? ['shown'] : parts), ...leftovers(workspace.folder)]).toEqual([])
  return freshWorkspace()
}

interface Killing {
  readonly workspace: Workspace
  readonly victim: Victim
  /** Arguments of the run. */
  readonly on: readonly string[]
  random(): number
  /** So many kills at most. */
  readonly most: number
}

/** Runs the workflow and kills; the sidecar alone again and again, since the same run goes on without it. */
async function killedRun({ workspace, victim, on, random, most }: Killing) {
  const child = spawnDag(workspace.folder, ['run', '--ui', 'json', ...on, workflowFile])
  const engine = child.pid as number
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk) => (stdout += chunk))
  child.stderr.on('data', (chunk) => (stderr += chunk))
  const end = ended(child)
  let kills = 0
  let sidecars: readonly number[] = []
  while (kills < most && child.exitCode === null && child.signalCode === null) {
    await Promise.race([wait(random() * longestMs), end])
    sidecars = childrenOf(engine)
    const killed = victim === 'sidecar' && sidecars.length > 1 ? [sidecars[Math.floor(random() * sidecars.length)] as number] : sidecars
    if (victim !== 'engine') kills += Number(killed.map(killIfThere).includes(true))
    if (victim === 'sidecar') continue
    kills += Number(killIfThere(engine) && (victim === 'engine' || sidecars.length === 0))
    break
  }
  const { code } = await end
  await vi.waitFor(() => expect(sidecars.filter(isAlive)).toEqual([]), { timeout: 10_000, interval: 20 })
  return { kills, code, stderr, events: eventsOf(stdout) }
}
