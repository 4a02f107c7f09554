import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Command, createScheduler, type ScheduledTask, type SchedulerEvent } from '../../engine/schedule/scheduler.ts'
import type { Lane } from '../../engine/schedule/state.ts'

const capacity: Record<Lane, number> = { sidecar: 1, engine: 1, command: 2 }

function task(id: string, parents: string[] = [], adapter?: string | null, lane: Lane = 'sidecar'): ScheduledTask {
  return { id, lane, parents, state: adapter === undefined ? null : { base: 'base', adapter }, workers: [0, 1, 2] }
}

interface Played {
  readonly log: string[]
  readonly loads: number
  readonly switches: number
}

interface Playing {
  /** Default: one of each task. */
  batches?(task: string): number
  fails?(task: string): boolean
  /** Sidecars; where there are several, the log says which one a batch went to. */
  readonly workers?: number
  /** Those that cannot be had. */
  readonly gone?: readonly number[]
}

/** Carries out every command at once; of the batches that run, the one that began first ends first. */
function play(tasks: ScheduledTask[], { batches = () => 1, fails = () => false, workers = 1, gone = [] }: Playing = {}): Played {
  const places = (of: ScheduledTask) => ({ ...of, workers: of.workers.filter((worker) => worker < workers) })
  const scheduler = createScheduler(tasks.map(places), { ...capacity, sidecar: workers })
  const log: string[] = []
  const events: SchedulerEvent[] = [{ type: 'start' }]
  const running: (Command & { readonly type: 'dispatch' })[] = []
  let loads = 0
  let switches = 0
  const carryOut = (command: Command): void => {
    if (command.type === 'settle') events.push({ type: 'settled', task: command.task, batches: batches(command.task) })
    else if (command.type === 'dispatch') {
      const isGone = gone.includes(command.worker)
      loads += Number(!isGone && (command.transition?.loadsBase ?? false))
      switches += Number(!isGone && (command.transition?.switchesAdapter ?? false))
      log.push(`${command.task}${workers > 1 ? ` @${command.worker}` : ''}${isGone ? ' gone' : ''}`)
      running.push(command)
    } else if (command.type !== 'idle') log.push(`${command.task} ${command.type}`)
    else log.push('idle')
  }
  for (;;) {
    const event = events.shift() ?? ended(running.shift())
    if (!event) return { log, loads, switches }
    for (const command of scheduler.next(event)) carryOut(command)
  }
  function ended(of: (Command & { readonly type: 'dispatch' }) | undefined): SchedulerEvent | undefined {
    if (!of) return undefined
    const { batch, task: id, worker } = of
    if (gone.includes(worker) && scheduler.canLose(worker)) return { type: 'worker-lost', task: id, batch, worker }
    return { type: fails(id) ? 'batch-failed' : 'batch-done', task: id, worker }
  }
}

test('a task starts when its parents are done, and the end is announced once', () => {
  expect(play([task('b', ['a']), task('a')]).log).toEqual(['a', 'a finish', 'b', 'b finish', 'idle'])
})

test('a task with nothing to run finishes without being dispatched and releases its children', () => {
  expect(play([task('a'), task('b', ['a'])], { batches: (id) => (id === 'a' ? 0 : 1) }).log).toEqual(['a finish', 'b', 'b finish', 'idle'])
})

test('the base is loaded once and every adapter is put on once, though work needs them in turn', () => {
  const organisms = ['x', 'y', 'z']
  const tasks = organisms.flatMap((name) =>
    ['one', 'two'].flatMap((set) => [
      task(`answer ${name} ${set}`, [], name),
      task(`record ${name} ${set}`, [`answer ${name} ${set}`], name),
      task(`replay ${name} ${set}`, [`answer ${name} ${set}`], null),
    ]),
  )
  const { loads, switches, log } = play(tasks)
  expect([loads, switches]).toEqual([1, 3])
  expect(log.filter((entry) => !entry.includes('finish'))).toEqual([
    ...organisms.flatMap((name) => [
      `answer ${name} one`,
      `answer ${name} two`,
      `record ${name} one`,
      `record ${name} two`,
      `replay ${name} one`,
      `replay ${name} two`,
    ]),
    'idle',
  ])
})

test('a failure blocks what depends on it and nothing else', () => {
  const tasks = [task('a'), task('b', ['a']), task('c', ['b']), task('d')]
  expect(play(tasks, { fails: (id) => id === 'a' }).log).toEqual(['a', 'a fail', 'b block', 'c block', 'd', 'd finish', 'idle'])
})

test('the other batches of a task that failed are still done', () => {
  expect(play([task('a')], { batches: () => 3, fails: () => true }).log).toEqual(['a', 'a', 'a', 'a fail', 'idle'])
})

test('after a stop nothing is dispatched, and the end comes when what runs is done', () => {
  const scheduler = createScheduler([task('a'), task('b')], capacity)
  scheduler.next({ type: 'start' })
  scheduler.next({ type: 'settled', task: 'a', batches: 1 })
  scheduler.next({ type: 'settled', task: 'b', batches: 1 })
  expect(scheduler.next({ type: 'stop' })).toEqual([])
  expect(scheduler.next({ type: 'batch-done', task: 'a', worker: 0 })).toEqual([{ type: 'finish', task: 'a' }, { type: 'idle' }])
})

test('a batch that is dropped after a stop neither ends nor fails its task', () => {
  const scheduler = createScheduler([task('a'), task('b', ['a'])], capacity)
  scheduler.next({ type: 'start' })
  scheduler.next({ type: 'settled', task: 'a', batches: 1 })
  scheduler.next({ type: 'stop' })
  expect(scheduler.next({ type: 'batch-dropped', task: 'a', worker: 0 })).toEqual([{ type: 'idle' }])
})

test('a stop before the start starts nothing', () => {
  const scheduler = createScheduler([task('a')], capacity)
  expect(scheduler.next({ type: 'stop' })).toEqual([{ type: 'idle' }])
  expect(scheduler.next({ type: 'start' })).toEqual([])
})

const dispatched = (log: readonly string[]) => log.filter((entry) => entry.includes('@'))

test('several sidecars take organisms in turn: a base is loaded on each, every adapter is put on once', () => {
  const organisms = ['v', 'w', 'x', 'y', 'z']
  const tasks = organisms.flatMap((name) => [
    task(`answer ${name}`, [], name),
    task(`record ${name}`, [`answer ${name}`], name),
    task(`replay ${name}`, [`answer ${name}`], null),
  ])
  const { log, loads, switches } = play(tasks, { workers: 2 })
  expect([loads, switches]).toEqual([2, 5])
  expect(dispatched(log)).toEqual([
    'answer v @0',
    'answer w @1',
    'record v @0',
    'record w @1',
    'replay v @0',
    'answer x @1',
    'replay w @0',
    'record x @1',
    'replay x @0',
    'answer y @1',
    'answer z @0',
    'record y @1',
    'record z @0',
    'replay y @1',
    'replay z @0',
  ])
})

test('where nothing else is left, a sidecar takes batches of a state that another holds, and loads a base for no single one', () => {
  const five = play([task('a', [], 'x')], { workers: 2, batches: () => 5 })
  expect(dispatched(five.log)).toEqual(['a @0', 'a @1', 'a @0', 'a @1', 'a @0'])
  expect([five.loads, five.switches]).toEqual([2, 2])
  const two = play([task('a', [], 'x')], { workers: 2, batches: () => 2 })
  expect(dispatched(two.log)).toEqual(['a @0', 'a @0'])
  expect([two.loads, two.switches]).toEqual([1, 1])
})

test('a sidecar does only what its device is for, and work without a model goes to any', () => {
  const tasks = [0, 1].flatMap((place) =>
    ['p', 'q'].map(
      (name): ScheduledTask => ({
        id: `${name}${place}`,
        lane: 'sidecar',
        parents: [],
        state: { base: `base${place}`, adapter: null },
        workers: [place],
      }),
    ),
  )
  const { log, loads } = play([...tasks, task('score'), task('score too')], { workers: 2, batches: (id) => (id === 'p1' ? 3 : 1) })
  expect(dispatched(log)).toEqual(['p0 @0', 'p1 @1', 'q0 @0', 'p1 @1', 'score @0', 'p1 @1', 'score too @0', 'q1 @1'])
  expect(loads).toBe(2)
})

test('what a sidecar that cannot be had was given goes to another, and it is given nothing more', () => {
  const tasks = [task('a', [], 'x'), task('b', [], 'y'), task('c', ['b'], null)]
  const { log, loads } = play(tasks, { workers: 2, gone: [1], batches: () => 2 })
  expect(log).toEqual(['a @0', 'b @1 gone', 'a @0', 'a finish', 'b @0', 'b @0', 'b finish', 'c @0', 'c @0', 'c finish', 'idle'])
  expect(loads).toBe(1)
})

test('a sidecar that could not be had before is given nothing, and the other is kept', () => {
  const scheduler = createScheduler([{ ...task('a'), workers: [0, 1] }], { ...capacity, sidecar: 2 }, new Set([0]))
  scheduler.next({ type: 'start' })
  expect(scheduler.next({ type: 'settled', task: 'a', batches: 2 })).toEqual([
    { type: 'dispatch', task: 'a', batch: 0, worker: 1, transition: null },
  ])
  expect([scheduler.canLose(0), scheduler.canLose(1)]).toEqual([true, false])
})

test('the last sidecar that may do some of the work is kept, and fails it', () => {
  const { log } = play([task('a', [], 'x'), task('b', ['a'])], { workers: 2, gone: [0, 1], fails: () => true })
  expect(log).toEqual(['a @0 gone', 'a @1 gone', 'a fail', 'b block', 'idle'])
})

test('any graph ends with every batch done once and every task finished once, after its parents', () => {
  const node = fc.record({
    adapter: fc.constantFrom(undefined, null, 'x', 'y'),
    back: fc.array(fc.nat(20), { maxLength: 3 }),
    batches: fc.nat(3),
  })
  const graph = fc.record({
    nodes: fc.array(node, { minLength: 1, maxLength: 30 }),
    workers: fc.integer({ min: 1, max: 3 }),
    gone: fc.uniqueArray(fc.nat(1), { maxLength: 1 }),
  })
  fc.assert(
    fc.property(graph, ({ nodes, workers, gone }) => {
      const tasks = nodes.map(({ adapter, back }, index) => {
        const parents = [...new Set(back.filter((of) => of < index))].map((of) => `t${of}`)
        return task(`t${index}`, parents, adapter)
      })
      const batches = (id: string) => nodes[Number(id.slice(1))]?.batches ?? 0
      const { log, loads } = play(tasks, { batches, workers, gone: workers > 1 ? gone : [] })
      const finished = log.filter((entry) => entry.endsWith(' finish')).map((entry) => entry.split(' ')[0] as string)
      expect(new Set(finished).size).toBe(tasks.length)
      for (const { id, parents } of tasks) {
        for (const parent of parents) expect(finished.indexOf(parent)).toBeLessThan(finished.indexOf(id))
        const done = log.filter((entry) => entry.split(' ')[0] === id && !/ (finish|gone)$/.test(entry))
        expect(done).toHaveLength(batches(id))
      }
      expect(loads).toBeLessThanOrEqual(workers)
    }),
  )
})
