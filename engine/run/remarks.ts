import type { Remark } from '../core/events.ts'
import type { FactsOf, Task } from '../core/step-kind.ts'
import type { Plan } from '../plan/plan.ts'
import { factsMade } from '../store/facts.ts'
import type { Store } from '../store/store.ts'

/** What people should know of what a run made, step by step. */
export function remarksOfRun(store: Store, run: string, tasks: readonly Task[]): Remark[] {
  const names = new Set(tasks.flatMap(({ operation }) => (operation.remarks ? [operation.name] : [])))
  const made = new Map([...names].flatMap((name) => [...factsMade(store, run, name)]))
  return remarksOn(tasks, (task) => made.get(task.id) ?? [])
}

/** What people should know of what is there of a workflow. */
export function remarksOfPlan(plan: Plan): Remark[] {
  return remarksOn(plan.graph.tasks, (task) =>
    plan.settled(task.id).cells.flatMap(({ spec, output }) => (output ? [{ cell: spec.id, facts: output.facts }] : [])),
  )
}

function remarksOn(tasks: readonly Task[], factsOf: (task: Task) => readonly FactsOf[]): Remark[] {
  const steps = Map.groupBy(
    tasks.filter(({ operation }) => operation.remarks),
    ({ stage }) => stage,
  )
  return [...steps].flatMap(([step, own]) => {
    const facts = own.flatMap(factsOf)
    const remarks = own[0]?.operation.remarks
    return facts.length > 0 && remarks ? remarks(facts).map((text) => ({ step, text })) : []
  })
}
