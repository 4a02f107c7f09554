import type { Digest } from '../core/digest.ts'
import type { Plan, PlannedTask } from '../plan/plan.ts'
import type { Prepared } from '../prepare.ts'
import { objectsNoted } from '../store/holdings.ts'
import { isRecorded, type RunRecord, writeRunRecord } from '../store/runs/run-record.ts'
import type { Store } from '../store/store.ts'
import { recordedFile } from './explaining.ts'

/**
 * Keeps what a run stands on, for garbage collection: what was there at its start, so that it can be resumed, and
 * all of it when it is done. A run that found everything as the one before it writes nothing.
 */
export function recorderOf(store: Store, workflow: Prepared['workflow'], run: string, now: () => number) {
  const file = recordedFile(store, workflow)
  const record = (finished: boolean, objects: readonly Digest[]): RunRecord => ({
    run,
    workflow: workflow.name,
    file,
    at: now(),
    finished,
    objects,
  })
  return {
    started(plan: Plan): void {
      writeRunRecord(store.layout, record(false, objectsOf(store, plan, plan.tasks)))
    },
    finished(plan: Plan): void {
      // What is given up after use stays known through what was made from it; what nothing uses yet is not given up.
      const lasting = plan.tasks.filter(({ task }) => !task.transient || !plan.graph.children.get(task.id)?.length)
      const objects = objectsOf(store, plan, lasting)
      if (!isRecorded(store.layout, file, objects)) writeRunRecord(store.layout, record(true, objects))
    },
  }
}

/** Every object that cells of these tasks lie in, as far as they are stored. */
function objectsOf(store: Store, plan: Plan, tasks: readonly PlannedTask[]): Digest[] {
  const noted = objectsNoted(store)
  const objects = new Set<Digest>()
  for (const { task, deep } of tasks) {
    const known = noted(deep)
    if (known) for (const object of known) objects.add(object)
    else for (const { output } of plan.settled(task.id).cells) if (output) objects.add(output.slot.object)
  }
  return [...objects].sort()
}
