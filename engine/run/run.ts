import { randomBytes } from 'node:crypto'
import type { Digest } from '../core/digest.ts'
import type { RunFinished, TaskInfo } from '../core/events.ts'
import { CorruptObject } from '../core/step-kind.ts'
import { errorText } from '../core/system-error.ts'
import { workName } from '../plan/forecast.ts'
import type { Plan } from '../plan/plan.ts'
import type { SettledTask } from '../plan/settle.ts'
import { laneCapacity, scheduledTasks, type Worker } from '../schedule/lanes.ts'
import { type Command, createScheduler, type SchedulerEvent } from '../schedule/scheduler.ts'
import { WorkerGone } from './executors/work.ts'
import type { RunOptions } from './run-options.ts'
import { TaskWork } from './task-work.ts'

/** What a run did, and the objects that were lost on the way, so that planning must be done once more. */
export interface RunResult {
  readonly totals: Omit<RunFinished, 'type' | 'look' | 'modelLoads' | 'adapterSwitches'>
  readonly lost: readonly Digest[]
  /** A task with its cells as they are now. */
  settled(id: string): SettledTask
}

export function newRunId(now: number): string {
  return `${new Date(now).toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-')}-${randomBytes(2).toString('hex')}`
}

/** Carries out a plan: asks the scheduler, does what it commands, commits each batch. */
export async function run(options: RunOptions): Promise<RunResult> {
  const { plan, store, emit, executors, tally, workers } = options
  const tasks = plan.tasks.map(({ task }) => task)
  const scheduler = createScheduler(scheduledTasks(tasks, workers), laneCapacity(workers, options.cores), options.lostWorkers)
  const work = new TaskWork(options)
  const lost: Digest[] = []

  let forget = (): void => {}
  await new Promise<void>((resolve, reject) => {
    const queue: SchedulerEvent[] = []
    let draining = false
    const send = (event: SchedulerEvent): void => {
      if (event.type === 'stop') queue.unshift(event)
      else queue.push(event)
      if (draining) return
      draining = true
      try {
        for (;;) {
          work.stopIfShort()
          const next = queue.shift()
          if (!next) break
          for (const command of scheduler.next(next)) carryOut(command)
        }
      } catch (error) {
        reject(error as Error)
      } finally {
        draining = false
      }
    }
    const carryOut = (command: Command): void => {
      switch (command.type) {
        case 'settle':
          send({ type: 'settled', task: command.task, batches: work.begin(command.task) })
          return
        case 'dispatch':
          void dispatch(command)
          return
        case 'finish':
          work.finish(command.task)
          return
        case 'fail':
          emit({ type: 'task-failed', task: command.task, message: tally.failureOf(command.task), log: options.logOf(command.task) })
          return
        case 'block':
          tally.blocked(command.task)
          emit({ type: 'task-blocked', task: command.task, because: command.because })
          return
        case 'idle':
          resolve()
      }
    }
    const dispatch = async ({ task, batch, worker }: Command & { readonly type: 'dispatch' }): Promise<void> => {
      try {
        send({ type: (await work.doBatch(task, batch, worker)) ? 'batch-done' : 'batch-failed', task, worker })
      } catch (thrown) {
        const error = thrown instanceof WorkerGone ? thrown.cause : thrown
        if (options.stop.requested === 'now') return send({ type: 'batch-failed', task, worker })
        const full = error instanceof CorruptObject ? null : options.room.blames(error)
        if (full !== null) {
          options.stop.drain(full)
          return send({ type: 'batch-dropped', task, worker })
        }
        if (thrown instanceof WorkerGone && scheduler.canLose(worker)) {
          options.lostWorkers.add(worker)
          emit({ type: 'worker-lost', worker: (workers[worker] as Worker).name, message: errorText(error) })
          return send({ type: 'worker-lost', task, batch, worker })
        }
        if (error instanceof CorruptObject) {
          const cells = store.quarantine(error.object)
          lost.push(error.object)
          emit({ type: 'object-lost', object: error.object, detail: error.message, cells })
          send({ type: 'stop' })
        }
        tally.failure(task, errorText(error))
        send({ type: 'batch-failed', task, worker })
      }
    }
    forget = options.stop.onRequest((how, because) => {
      emit({ type: 'stop-requested', how, because })
      send({ type: 'stop' })
      if (how === 'now') for (const executor of Object.values(executors)) executor.kill()
    })
    send({ type: 'start' })
  }).finally(() => forget())

  const { requested, because } = options.stop
  const stopped = requested !== null && work.finished < plan.tasks.length
  const outcome =
    stopped && requested === 'now' ? 'interrupted' : tally.failed > 0 && lost.length === 0 ? 'failed' : stopped ? 'stopped' : 'done'
  const totals = {
    run: options.id,
    outcome,
    because: stopped ? because : null,
    ...tally.totals(options.now(), options.logOf),
  } as const
  return { totals, lost, settled: work.settle }
}

/** The grid and the expectations that a run starts with. */
export function taskInfos(plan: Plan): TaskInfo[] {
  return plan.tasks.map(({ task, cells, toRun }) => ({
    id: task.id,
    row: task.row,
    stage: task.stage,
    work: workName(task),
    cells,
    toRun,
  }))
}
