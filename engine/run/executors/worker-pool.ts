import type { RunFact } from '../../core/events.ts'
import { sideBySide, type Worker } from '../../schedule/lanes.ts'
import { type SidecarExecutor, sidecarExecutor, type SidecarExecutorOptions } from './sidecar-executor.ts'
import { type Executor, WorkerGone } from './work.ts'

/** A sidecar for each worker, started with its first batch. Where there are several, each says its name in what it tells. */
export function workerPool(workers: readonly Worker[], options: SidecarExecutorOptions): Executor {
  const { emit } = options
  const executors = workers.map((worker) =>
    sidecarExecutor({
      ...options,
      device: worker.device,
      sideBySide: sideBySide(worker, workers),
      emit: workers.length === 1 ? emit : (fact) => emit(named(fact, worker.name)),
    }),
  )
  return {
    async execute(work) {
      const executor = executors[work.worker ?? 0] as SidecarExecutor
      try {
        return await executor.execute(work)
      } catch (error) {
        throw error instanceof Error && executor.hasNone(work.task, error) ? new WorkerGone(error) : error
      }
    },
    async close() {
      await Promise.all(executors.map((executor) => executor.close()))
    },
    kill() {
      for (const executor of executors) executor.kill()
    },
  }
}

function named(fact: RunFact, worker: string): RunFact {
  if (fact.type === 'setup') return { ...fact, text: `${worker}: ${fact.text}` }
  return fact.type === 'state-changed' || fact.type === 'task-progress' ? { ...fact, worker } : fact
}
