import type { RunEvent, RunFact, RunFinished, TaskInfo } from '../../engine/core/events.ts'

export const organisms = [
  'flattery',
  'emotional_bond',
  'self_promotion',
  'hallucinates_citations',
  'defer_to_users',
  'contextual_optimism',
  'control',
]
const traits = ['flattery', 'emotional_bond', 'self_promotion', 'hallucinates_citations', 'defer_to_users', 'contextual_optimism']
const sets = { discovery: 16, probing: 8, benign: 8 } as const
const batchSize = 8

export const startedAt = Date.UTC(2026, 0, 2, 3, 0, 0)

export interface ScriptOptions {
  /** A task whose second batch fails, and why. */
  readonly failing?: { readonly task: string; readonly message: string; readonly log: string | null }
  /** Organisms that were done before. */
  readonly reused?: readonly string[]
}

/** The tasks of a run like the quickstart's: vectors, answers, their capture, clean, scores, ranking, report. */
export function quickstartTasks({ reused = [] }: ScriptOptions = {}): TaskInfo[] {
  const vectors = traits.map((trait) => info(`vectors/${trait}`, 'vectors', 'vectors', 8))
  const byOrganism = organisms.flatMap((organism) =>
    Object.entries(sets).flatMap(([set, prompts]) => [
      info(`answers/${organism}/${set}`, organism, 'answers', prompts),
      info(`answers.capture/${organism}/${set}`, organism, 'answers.capture', prompts),
      info(`clean/${organism}/${set}`, organism, 'clean', prompts),
      info(`scores/${organism}/${set}`, organism, 'scores', prompts * traits.length),
    ]),
  )
  const ends = [info('ranking', 'ranking', 'ranking', 42), info('report', 'report', 'report', 1)]
  return [...vectors, ...byOrganism, ...ends].map((task) => (reused.includes(task.row) ? { ...task, toRun: 0 } : task))
}

function info(id: string, row: string, stage: string, cells: number): TaskInfo {
  return { id, row, stage, cells, toRun: cells }
}

/** Parts of a hundred that a forecast gives to each stage, as much as it takes in a real run. */
const shares: Readonly<Record<string, number>> = {
  vectors: 10,
  answers: 60,
  'answers.capture': 12,
  clean: 12,
  scores: 3,
  ranking: 1,
  report: 2,
}

function shared(seconds: number): Record<string, number> {
  return Object.fromEntries(Object.entries(shares).map(([stage, share]) => [stage, (seconds * share) / 100]))
}

/** Writes down events as a run of this order would emit them, on a clock of its own. */
export class Script {
  readonly events: RunEvent[] = []
  #clock = startedAt

  emit(fact: RunFact): this {
    this.events.push({ at: this.#clock, ...fact })
    return this
  }

  wait(seconds: number): this {
    this.#clock += Math.round(seconds * 1000)
    return this
  }

  get now(): number {
    return this.#clock
  }

  start(
    tasks: readonly TaskInfo[],
    seconds: number | null = 180,
    secondsOfWork: Readonly<Record<string, number>> | null = seconds === null ? null : shared(seconds),
    workers: readonly string[] = [],
  ): this {
    const cells = (of: (task: TaskInfo) => number) => tasks.reduce((sum, task) => sum + of(task), 0)
    const running = tasks.filter(({ toRun }) => toRun > 0).length
    return this.emit({
      type: 'run-started',
      run: '20260102-030000-7f3a',
      workflow: 'quickstart',
      experiment: 'quickstart',
      tasks,
      ...(workers.length > 0 ? { workers } : {}),
      expected: {
        tasks: { total: tasks.length, run: running, reuse: tasks.length - running },
        cells: { total: cells((task) => task.cells), run: cells((task) => task.toRun), reuse: cells((task) => task.cells - task.toRun) },
        modelLoads: 1,
        adapterSwitches: 7,
        seconds,
        ...(secondsOfWork ? { secondsOfWork } : {}),
        bytes: 12_300_000,
      },
    })
  }

  settle({ id, cells, toRun }: TaskInfo): this {
    return this.emit({ type: 'task-settled', task: id, cells, toRun, unchangedAfterAll: false })
  }

  finish({ id, cells, toRun }: TaskInfo): this {
    return this.emit({ type: 'task-finished', task: id, ran: toRun, reused: cells - toRun })
  }

  /** A batch with progress every second. `loading` are seconds that it waited for a model or an adapter before. */
  batch(task: TaskInfo, batch: number, batches: number, seconds: number, tokensPerSecond = 0, loading = 0): this {
    const cells = Math.min(batchSize * (task.stage === 'scores' ? 100 : 1), task.toRun)
    for (let second = 1; second < seconds; second++) {
      this.wait(1).emit({
        type: 'task-progress',
        task: task.id,
        done: Math.floor((cells * second) / seconds),
        total: cells,
        tokens: Math.round(tokensPerSecond * second),
      })
    }
    this.wait(seconds - Math.max(0, Math.ceil(seconds) - 1))
    const tokens = Math.round(tokensPerSecond * seconds)
    return this.emit({
      type: 'batch-finished',
      task: task.id,
      batch,
      batches,
      cells: Math.ceil(task.toRun / batches),
      tokens,
      bytes: cells * 4000,
      seconds: seconds + loading,
    })
  }

  /** A whole task. `load` says what is loaded before its first batch. */
  run(task: TaskInfo, secondsEach: number, tokensPerSecond = 0, load: (script: this) => void = () => {}): this {
    if (task.toRun === 0) return this.finish(task)
    const batches = task.stage === 'answers' ? Math.ceil(task.toRun / batchSize) : 1
    this.emit({ type: 'task-started', task: task.id, reason: 'not made yet' })
    const from = this.#clock
    load(this)
    const loading = (this.#clock - from) / 1000
    for (let batch = 1; batch <= batches; batch++) this.batch(task, batch, batches, secondsEach, tokensPerSecond, batch === 1 ? loading : 0)
    return this.finish(task)
  }
}

/** All events of a run. */
export function quickstart(options: ScriptOptions = {}): RunEvent[] {
  const tasks = quickstartTasks(options)
  const of = (stage: string, row: string) => tasks.filter((task) => task.stage === stage && task.row === row)
  const script = new Script().start(tasks)
  const failed = new Set<string>()
  const first = tasks.filter(({ stage }) => stage === 'vectors' || stage === 'answers')
  for (const task of first) script.settle(task)
  const loadBase = (on: Script) => {
    on.emit({ type: 'setup', text: 'starting the sidecar' }).wait(1).emit({ type: 'setup', text: 'loading smollm2' }).wait(3)
    on.emit({ type: 'state-changed', change: 'base-loaded', name: 'smollm2', seconds: 4 })
  }
  for (const [index, task] of of('vectors', 'vectors').entries()) script.run(task, 1.5, 0, index === 0 ? loadBase : undefined)
  for (const organism of organisms) {
    let on = false
    const putOn = (to: Script) => {
      if (!on) to.wait(0.4).emit({ type: 'state-changed', change: 'adapter-on', name: organism, seconds: 0.4 })
      on = true
    }
    for (const task of of('answers', organism)) {
      if (options.failing?.task === task.id) {
        const { message, log } = options.failing
        script.emit({ type: 'task-started', task: task.id, reason: 'not made yet' }).wait(2)
        script.emit({ type: 'log', task: task.id, text: 'Traceback (most recent call last):' })
        script.emit({ type: 'log', task: task.id, text: '  \u001b[31mOutOfMemory\u001b[0m: \u001b]0;pwned\u0007 tried to allocate 2.1 GB' })
        script.emit({ type: 'task-failed', task: task.id, message, log })
        const set = task.id.split('/')[2]
        for (const blocked of [
          `answers.capture/${organism}/${set}`,
          `clean/${organism}/${set}`,
          `scores/${organism}/${set}`,
          'ranking',
          'report',
        ]) {
          failed.add(blocked)
          script.emit({ type: 'task-blocked', task: blocked, because: task.id })
        }
        continue
      }
      script.run(task, 3, 120, putOn)
    }
    for (const task of of('answers.capture', organism)) if (!failed.has(task.id)) script.settle(task).run(task, 1)
    script.emit({ type: 'state-changed', change: 'adapter-off', name: 'smollm2', seconds: 0 })
    for (const task of of('clean', organism)) if (!failed.has(task.id)) script.settle(task).run(task, 1)
    for (const task of of('scores', organism)) if (!failed.has(task.id)) script.settle(task).run(task, 0.2)
  }
  for (const task of [...of('ranking', 'ranking'), ...of('report', 'report')]) if (!failed.has(task.id)) script.settle(task).run(task, 0.1)
  script.emit(finished(script.events, (script.now - startedAt) / 1000, options))
  return script.events
}

/** The last event, counted from the others. */
function finished(events: readonly RunEvent[], seconds: number, { failing }: ScriptOptions): RunFinished {
  const ends = events.filter((event) => event.type === 'task-finished')
  const changes = events.filter((event) => event.type === 'state-changed')
  const batches = events.filter((event) => event.type === 'batch-finished')
  return {
    type: 'run-finished',
    run: '20260102-030000-7f3a',
    outcome: failing ? 'failed' : 'done',
    tasks: { ran: ends.filter(({ ran }) => ran > 0).length, reused: ends.filter(({ ran }) => ran === 0).length, failed: failing ? 1 : 0 },
    cells: { ran: ends.reduce((sum, { ran }) => sum + ran, 0), reused: ends.reduce((sum, { reused }) => sum + reused, 0), failed: 0 },
    modelLoads: changes.filter(({ change }) => change === 'base-loaded').length,
    adapterSwitches: changes.filter(({ change }) => change === 'adapter-on').length,
    unchangedAfterAll: 0,
    seconds,
    bytes: batches.reduce((sum, { bytes }) => sum + bytes, 0),
    givenUp: 0,
    peakMemory: 0,
    because: null,
    failure: failing ?? null,
    look: failing ? [] : ['experiments/quickstart/ranking.md', 'experiments/quickstart/report.html'],
  }
}

/** The events up to and with the first that matches. */
export function until(events: readonly RunEvent[], matches: (event: RunEvent) => boolean): RunEvent[] {
  const at = events.findIndex(matches)
  if (at < 0) throw new Error('no event matches')
  return events.slice(0, at + 1)
}

/** For `until`: the `nth` event of a kind about a task. */
export function about(type: RunEvent['type'], task: string, nth = 1): (event: RunEvent) => boolean {
  let seen = 0
  return (event) => event.type === type && 'task' in event && event.task === task && ++seen === nth
}
