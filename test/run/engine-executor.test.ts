import { expect, test } from 'vitest'
import type { Reader, Task } from '../../engine/core/step-kind.ts'
import { engineExecutor } from '../../engine/run/engine-executor.ts'
import type { Work } from '../../engine/run/work.ts'

test('work that lasts ends when it is interrupted, and nothing of it is staged', async () => {
  const executor = engineExecutor({} as Reader)
  const operation = { runs: { on: 'engine', run: () => new Promise(() => {}) } }
  const batch = { task: 'ranking/one', index: 0, cells: [] }
  const work: Work = { task: { operation } as unknown as Task, inputs: { of: () => [] }, batch, staging: '/nowhere' }
  const outcome = executor.execute(work)
  executor.kill()
  await expect(outcome).rejects.toThrow('interrupted')
})
