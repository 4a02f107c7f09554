import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Command, createScheduler, type Lane, type ScheduledTask, type SchedulerEvent } from '../../engine/schedule/scheduler.ts'

const capacity: Record<Lane, number> = { sidecar: 1, engine: 1, command: 2 }

function task(id: string, parents: string[] = [], adapter?: string | null, lane: Lane = 'sidecar'): ScheduledTask {
  return { id, lane, parents, state: adapter === undefined ? null : { base: 'base', adapter } }
}

interface Played {
  readonly log: string[]
  readonly loads: number
  readonly switches: number
}

/** Carries out every command at once: settles with the batches of `batches`, one batch running at a time. */
function play(tasks: ScheduledTask[], batches: (task: string) => number = () => 1, fails: (task: string) => boolean = () => false): Played {
  const scheduler = createScheduler(tasks, capacity)
  const log: string[] = []
  const events: SchedulerEvent[] = [{ type: 'start' }]
  const running: string[] = []
  let loads = 0
  let switches = 0
  const carryOut = (command: Command): void => {
    if (command.type === 'settle') events.push({ type: 'settled', task: command.task, batches: batches(command.task) })
    else if (command.type === 'dispatch') {
      loads += Number(command.transition?.loadsBase ?? false)
      switches += Number(command.transition?.switchesAdapter ?? false)
      log.push(command.task)
      running.push(command.task)
    } else if (command.type !== 'idle') log.push(`${command.task} ${command.type}`)
    else log.push('idle')
  }
  for (;;) {
    const event = events.shift() ?? ended(running.shift())
    if (!event) return { log, loads, switches }
    for (const command of scheduler.next(event)) carryOut(command)
  }
  function ended(id: string | undefined): SchedulerEvent | undefined {
    return id === undefined ? undefined : { type: fails(id) ? 'batch-failed' : 'batch-done', task: id }
  }
}

test('a task starts when its parents are done, and the end is announced once', () => {
  expect(play([task('b', ['a']), task('a')]).log).toEqual(['a', 'a finish', 'b', 'b finish', 'idle'])
})

test('a task with nothing to run finishes without being dispatched and releases its children', () => {
  expect(play([task('a'), task('b', ['a'])], (id) => (id === 'a' ? 0 : 1)).log).toEqual(['a finish', 'b', 'b finish', 'idle'])
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
  expect(play(tasks, undefined, (id) => id === 'a').log).toEqual(['a', 'a fail', 'b block', 'c block', 'd', 'd finish', 'idle'])
})

test('the other batches of a task that failed are still done', () => {
  expect(
    play(
      [task('a')],
      () => 3,
      () => true,
    ).log,
  ).toEqual(['a', 'a', 'a', 'a fail', 'idle'])
})

test('after a stop nothing is dispatched, and the end comes when what runs is done', () => {
  const scheduler = createScheduler([task('a'), task('b')], capacity)
  scheduler.next({ type: 'start' })
  scheduler.next({ type: 'settled', task: 'a', batches: 1 })
  scheduler.next({ type: 'settled', task: 'b', batches: 1 })
  expect(scheduler.next({ type: 'stop' })).toEqual([])
  expect(scheduler.next({ type: 'batch-done', task: 'a' })).toEqual([{ type: 'finish', task: 'a' }, { type: 'idle' }])
})

test('a batch that is dropped after a stop neither ends nor fails its task', () => {
  const scheduler = createScheduler([task('a'), task('b', ['a'])], capacity)
  scheduler.next({ type: 'start' })
  scheduler.next({ type: 'settled', task: 'a', batches: 1 })
  scheduler.next({ type: 'stop' })
  expect(scheduler.next({ type: 'batch-dropped', task: 'a' })).toEqual([{ type: 'idle' }])
})

test('a stop before the start starts nothing', () => {
  const scheduler = createScheduler([task('a')], capacity)
  expect(scheduler.next({ type: 'stop' })).toEqual([{ type: 'idle' }])
  expect(scheduler.next({ type: 'start' })).toEqual([])
})

test('any graph ends with every task finished once, after its parents', () => {
  const graph = fc.array(
    fc.record({ adapter: fc.constantFrom(undefined, null, 'x', 'y'), back: fc.array(fc.nat(20), { maxLength: 3 }), batches: fc.nat(3) }),
    {
      minLength: 1,
      maxLength: 30,
    },
  )
  fc.assert(
    fc.property(graph, (nodes) => {
      const tasks = nodes.map(({ adapter, back }, index) =>
        task(
          `t${index}`,
          [...new Set(back.filter((of) => of < index))].map((of) => `t${of}`),
          adapter,
        ),
      )
      const { log, loads } = play(tasks, (id) => nodes[Number(id.slice(1))]?.batches ?? 0)
      const finished = log.filter((entry) => entry.endsWith(' finish')).map((entry) => entry.split(' ')[0] as string)
      expect(new Set(finished).size).toBe(tasks.length)
      for (const { id, parents } of tasks) for (const parent of parents) expect(finished.indexOf(parent)).toBeLessThan(finished.indexOf(id))
      expect(loads).toBeLessThanOrEqual(1)
    }),
  )
})
