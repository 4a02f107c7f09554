import path from 'node:path'
import type { Diagnostic } from '../core/diagnostic.ts'
import { fail, ok, type Result } from '../core/result.ts'
import { CorruptObject } from '../core/step-kind.ts'
import { modelsToLoad } from '../plan/memory.ts'
import { hasWork } from '../plan/plan.ts'
import { damagedObjects } from '../store/health/damaged-objects.ts'
import { discard } from '../store/files/durable.ts'
import { clearStaging } from '../store/store.ts'
import { endOrphans } from './orphans.ts'
import { diskProblems, experimentFolder, filesNeeded, folderProblems, memoryHere, memoryProblems } from './preflight.ts'
import { type Ended, loseObject, Session, type SessionOptions } from './session.ts'

/**
 * One run of a workflow: plans, refuses what cannot end well, does the work and shows the results.
 * The error holds every reason for which nothing was started.
 */
export async function runWorkflow(options: SessionOptions): Promise<Result<Ended, readonly Diagnostic[]>> {
  const { store, prepared } = options
  endOrphans(store.layout)
  clearStaging(store)
  const lost = (await damagedObjects(store.layout, options.touched)).map((object) =>
    loseObject(store, new CorruptObject(object, 'does not match its digest')),
  )
  const { plan, expected } = await options.planFirst(prepared, store)
  const refused = [
    ...(hasWork(plan) ? prepared.notReady : []),
    ...folderProblems(experimentFolder(options.workspace, prepared.workflow), plan.graph),
    ...diskProblems(store.layout.root, { bytes: expected.disk.peak.bytes, files: filesNeeded(plan) }, options.keepFree),
    ...memoryProblems(modelsToLoad(plan), memoryHere()),
  ]
  if (refused.length > 0) return fail(refused)
  const ended = await new Session(options).run(plan, expected, lost)
  if (ended.finished.outcome === 'done') discard(path.join(store.layout.staging, options.id))
  return ok(ended)
}
