import { readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { RunEvent } from '../../engine/core/events.ts'
import { twin } from '../impact/row.ts'
import { cellDigests } from '../support/cells.ts'
import { plan, run } from '../support/dag.ts'
import { type FakeWorkspace, fakeWorkspace } from '../support/fake.ts'
import { watched } from '../support/watched.ts'
import { workflowFile } from '../support/workspace.ts'

const betaWeights = 'models/organisms/beta/adapter_model.safetensors'

/** Runs the workflow, with `edit` done while the first batch, of alpha, is being worked on. */
async function runAndEdit(workspace: FakeWorkspace, edit: () => void): Promise<RunEvent[]> {
  const running = watched(workspace.folder, ['run', '--ui', 'json', workflowFile], workspace.env)
  await workspace.atWork()
  edit()
  workspace.goOn()
  await running.end
  const lines = running.stdout().trim().split('\n')
  return lines.map((line) => JSON.parse(line) as RunEvent)
}

const failures = (events: readonly RunEvent[]) =>
  events.flatMap((event) => (event.type === 'task-failed' ? [event.task, event.message] : []))

/** Writes other weights in place of those of an adapter; they have the same shape. */
function trainAnew(file: string): void {
  const bytes = readFileSync(file)
  bytes.writeUInt16LE(bytes.readUInt16LE(bytes.length - 2) ^ 1, bytes.length - 2)
  writeFileSync(file, bytes)
}

test.for([
  ['a prompt', 'prompts/two.json', 'Who are you?', 'Who were you?', 3, 6],
  ['the workflow', workflowFile, 'max_new_tokens: 6', 'max_new_tokens: 5', 6, 6],
  ['the list of organisms', 'organisms/list.yaml', '  gamma: { adapter: ../models/organisms/gamma }\n', '', 0, 4],
] as const)(
  '%s that is edited while a run goes on: the run ends as it began, and the next one does what the edit asks for',
  async ([, file, old, now, changed, total]) => {
    const workspace = fakeWorkspace('waits')
    const events = await runAndEdit(workspace, () => workspace.edit(file, old, now))
    expect(events.at(-1)).toMatchObject({ outcome: 'done', cells: { ran: 6, reused: 0, failed: 0 } })
    expect((await plan(workspace)).cells).toEqual({ total, run: changed, reuse: total - changed })
    const { finished } = await run(workspace, workspace.env)
    expect([finished.outcome, finished.cells.ran]).toEqual(['done', changed])
  },
)

test('an adapter that is trained anew before its turn comes: its answers are not taken for those of the former one', async () => {
  const workspace = fakeWorkspace('waits')
  twin()(workspace)
  const events = await runAndEdit(workspace, () => trainAnew(workspace.at(betaWeights)))
  const message = `the adapter of "beta" (${workspace.at('models/organisms/beta')}) changed while the run was going on; run again`
  expect(failures(events)).toEqual(['answers/beta/two', message])
  expect(events.at(-1)).toMatchObject({ outcome: 'failed', tasks: { ran: 2, reused: 0, failed: 1 } })
  expect(workspace.asked()).toEqual(['hello', 'load_base', 'set_adapter', 'generate', 'set_adapter', 'set_adapter', 'generate', 'shutdown'])
  const { finished } = await run(workspace, workspace.env)
  expect([finished.outcome, finished.cells]).toEqual(['done', { ran: 2, reused: 4, failed: 0 }])
  trainAnew(workspace.at(betaWeights)) // as it was
  expect((await plan(workspace)).cells).toEqual({ total: 6, run: 2, reuse: 4 })
})

test.for([
  ['touched', (file: string) => utimesSync(file, 1, 1)],
  ['written again with the same bytes', (file: string) => writeFileSync(file, readFileSync(file))],
] as const)('an adapter that is %s before its turn comes is the same one', async ([, act]) => {
  const workspace = fakeWorkspace('waits')
  twin()(workspace)
  const events = await runAndEdit(workspace, () => act(workspace.at(betaWeights)))
  expect(events.at(-1)).toMatchObject({ outcome: 'done', cells: { ran: 6, reused: 0, failed: 0 } })
})

test.for([
  ['another word in its chat template', 'tokenizer_config.json', (text: string) => text.replace('{', '{ "padding_side": "left",')],
  ['another setting', 'config.json', (text: string) => text.replace('{', '{ "rope_theta": 500,')],
] as const)('a model that gets %s before its turn comes is not used', async ([, file, change]) => {
  const workspace = fakeWorkspace('waits')
  twin()(workspace)
  workspace.edit(workflowFile, 'organisms:', '  other: { source: ../models/twin, dtype: bfloat16 }\norganisms:')
  const others = '  others: { kind: generate, model: other, max_new_tokens: 5, organisms: [alpha] }'
  workspace.write(workflowFile, `${workspace.read(workflowFile)}${others}\n`)
  const events = await runAndEdit(workspace, () => workspace.write(`models/twin/${file}`, change(workspace.read(`models/twin/${file}`))))
  const message = `model "other" (${workspace.at('models/twin')}) changed while the run was going on; run again`
  expect(failures(events)).toEqual(['others/alpha/two', message])
  expect(cellDigests(workspace).size).toBe(6)
  const { finished } = await run(workspace, workspace.env)
  expect([finished.outcome, finished.cells]).toEqual(['done', { ran: 2, reused: 6, failed: 0 }])
})
