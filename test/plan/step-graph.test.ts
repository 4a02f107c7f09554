import { expect, test } from 'vitest'
import { ok } from '../../engine/core/result.ts'
import { orderSteps } from '../../engine/graph/step-graph.ts'

test('a step comes after what it reads, whatever it is called', () => {
  expect(orderSteps(['constructor', 'a'], [{ from: 'a', to: 'constructor' }])).toEqual(ok(['a', 'constructor']))
  expect(orderSteps(['a', 'constructor'], [{ from: 'constructor', to: 'a' }])).toEqual(ok(['constructor', 'a']))
})
