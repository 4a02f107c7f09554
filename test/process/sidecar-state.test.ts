import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { RunFact } from '../../engine/core/events.ts'
import { prepare } from '../../engine/prepare.ts'
import { planNow } from '../../engine/run/plan-now.ts'
import { sidecarExecutor } from '../../engine/run/executors/sidecar-executor.ts'
import { openStore } from '../../engine/store/store.ts'
import { tokenLimits } from '../../engine/store/token-limits.ts'
import { kinds } from '../../steps/index.ts'
import { type FakeWorkspace, fakeWorkspace } from '../support/fake.ts'
import { root } from '../support/paths.ts'
import { workflowFile } from '../support/workspace.ts'

/** Does the first batches of the named organisms in this order; answers what became of each, and what the engine told. */
async function inTurn(workspace: FakeWorkspace, organisms: readonly string[]) {
  const store = openStore(workspace.at('cache'))
  onTestFinished(() => store.close())
  const prepared = await prepare(workspace.at(workflowFile), kinds, store)
  if (!prepared.ok) throw new Error(JSON.stringify(prepared.error))
  const { plan } = planNow(prepared.value, store)
  const facts: RunFact[] = []
  const executor = sidecarExecutor({
    command: (workspace.env.DAG_SIDECAR as string).split(' '),
    root,
    silence: 60,
    layout: store.layout,
    limits: tokenLimits(store),
    isUnchanged: prepared.value.isUnchanged,
    emit: (fact) => facts.push(fact),
  })
  const ends: string[] = []
  for (const [index, name] of organisms.entries()) {
    const planned = plan.byId.get(`answers/${name}/two`)
    if (!planned?.batches[0]) throw new Error(`nothing to do for ${name}`)
    const staging = path.join(store.layout.staging, String(index))
    mkdirSync(staging)
    const work = { task: planned.task, inputs: plan.inputs(planned.task), batch: planned.batches[0], staging }
    ends.push(
      await executor.execute(work).then(
        () => 'done',
        (error: Error) => error.message,
      ),
    )
  }
  await executor.close()
  return { ends, switches: facts.flatMap((fact) => (fact.type === 'state-changed' ? [`${fact.change} ${fact.name}`] : [])) }
}

test('an adapter that could not be put on has taken the former one off: that is put on again before it answers', async () => {
  const workspace = fakeWorkspace('refuses-beta')
  const { ends, switches } = await inTurn(workspace, ['alpha', 'beta', 'alpha', 'alpha'])
  expect(ends).toEqual(['done', 'no room for it', 'done', 'done'])
  expect(workspace.asked()).toEqual([
    'hello',
    'load_base',
    'set_adapter',
    'generate',
    'set_adapter',
    'set_adapter',
    'generate',
    'generate',
    'shutdown',
  ])
  expect(switches).toEqual(['base-loaded tiny', 'adapter-on alpha', 'adapter-on alpha'])
})
