import path from 'node:path'
import { type Explainer, explainer } from '../lineage/explain.ts'
import { type History, historyOf } from '../lineage/history.ts'
import { type ReasonGroup, reasonsOf } from '../lineage/reasons.ts'
import type { Task } from '../core/step-kind.ts'
import type { Plan } from '../plan/plan.ts'
import type { Prepared } from '../prepare.ts'
import { indexName } from '../store/files/layout.ts'
import type { Store } from '../store/store.ts'

/** What it takes to say why a plan is as it is. */
export interface Explaining {
  readonly history: History
  readonly explain: Explainer
  /** Why its cells run, in groups. */
  reasons(): ReasonGroup[]
}

export function explaining({ workflow, locate }: Prepared, store: Store, plan: Plan): Explaining {
  const history = historyOf(store, workflow.name, recordedFile(store, workflow))
  const explain = explainer(history, locate, (id) => plan.graph.byId.get(id) as Task)
  return { history, explain, reasons: () => reasonsOf(plan, explain, history) }
}

/** The workflow's file as runs record it: relative to the store, so that a workspace can move. */
export function recordedFile(store: Store, workflow: Prepared['workflow']): string {
  return indexName(store.layout, path.join(workflow.folder, path.basename(workflow.file)))
}
