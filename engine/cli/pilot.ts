import { createInterface } from 'node:readline'
import type { RunFinished } from '../core/events.ts'
import { answeredShare, goesOn, modelWork, type Pilot, type PilotResult, pilotSources, projected } from '../plan/pilot.ts'
import { hasWork } from '../plan/plan.ts'
import type { Prepared } from '../prepare.ts'
import { pilotHead, pilotText } from '../report/pilot-text.ts'
import type { Store } from '../store/store.ts'
import { planAloudInTurns } from './common/planning.ts'

/** What `dag run --pilot` does where the workflow says nothing. */
export const defaultPilot: Pilot = { organisms: 1, prompts: null, goOnWithin: 1.5 }

interface PilotOptions {
  readonly process: NodeJS.Process
  readonly prepared: Prepared
  readonly store: Store
  readonly pilot: Pilot
  readonly json: boolean
  /** Runs the slice; null when it was refused. */
  run(slice: Prepared): Promise<RunFinished | null>
}

/** Does the slice first. Says whether the rest follows: `ended` when the slice itself did not come to its end. */
export async function runPilot({ process, prepared, store, pilot, json, run }: PilotOptions): Promise<'go-on' | 'stop' | 'ended'> {
  const slice = { ...prepared, graph: modelWork(prepared.graphOf(pilotSources(prepared.sources, prepared.graph, pilot))) }
  if (!hasWork((await planAloudInTurns(process.stderr, slice, store)).plan)) return 'go-on'
  const { expected: forecast } = await planAloudInTurns(process.stderr, prepared, store)
  process.stderr.write(pilotHead(slice.graph))
  const finished = await run(slice)
  if (finished?.outcome !== 'done') return 'ended'
  const { plan, expected: left } = await planAloudInTurns(process.stderr, prepared, store)
  const share = answeredShare(plan)
  const result: PilotResult = {
    seconds: finished.seconds,
    bytes: finished.bytes,
    answeredShare: share,
    forecast,
    projected: projected(finished, left, share),
    goOnWithin: pilot.goOnWithin,
  }
  process.stderr.write(pilotText(result))
  if (goesOn(result)) return 'go-on'
  if (json || !process.stdin.isTTY || !process.stderr.isTTY) return 'stop'
  return (await agreed(process)) ? 'go-on' : 'stop'
}

/** Asks on the terminal; ctrl-c, ctrl-d and a closed terminal are a no. */
function agreed({ stdin, stderr }: NodeJS.Process): Promise<boolean> {
  stdin.ref() // a TUI that has ended lets go of it
  const lines = createInterface({ input: stdin, output: stderr })
  return new Promise<boolean>((resolve) => {
    lines.once('close', () => resolve(false))
    lines.once('SIGINT', () => lines.close())
    lines.question('go on? [y/N] ', (answer) => {
      resolve(/^y(es)?$/i.test(answer.trim()))
      lines.close()
    })
  }).finally(() => stdin.unref())
}
