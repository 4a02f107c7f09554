import { expect, test } from 'vitest'
import { plan, planning } from '../../engine/plan/plan.ts'
import { graphOf, job } from '../lineage/memory.ts'

const nothing = { look: () => null, ahead: () => {}, done: () => null }

test('a plan is made a task a step, so that a signal is heard between two of them, and is that which is made at once', () => {
  const graph = graphOf(job({}))
  const steps = planning(graph, nothing)
  let step = steps.next()
  for (let count = 0; count < graph.tasks.length; count++, step = steps.next()) expect(step.done).toBe(false)
  expect(step.done && step.value.tasks).toEqual(plan(graph, nothing).tasks)
})
