import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { RunEvent } from '../../engine/core/events.ts'
import { cellDigests } from '../support/cells.ts'
import { run, runUntil } from '../support/dag.ts'
import { python, root, smollm2 } from '../support/paths.ts'
import { freshWorkspace, promptSet, type Workspace, workflowFile } from '../support/workspace.ts'
import { lacking } from './needs.ts'

const groups = '/sys/fs/cgroup/memory'
const lack =
  lacking('memory that runs out', { root: true }) ??
  (existsSync(path.join(groups, 'memory.limit_in_bytes')) ? null : 'no memory control groups of version 1')

/** A control group without a limit, and the command that starts a sidecar in it. */
function controlGroup(): { env: Record<string, string>; leave(bytes: number): void } {
  const group = path.join(groups, `dag-${process.pid}-${Date.now()}`)
  mkdirSync(group)
  onTestFinished(() => vi.waitFor(() => rmdirSync(group), { timeout: 60_000, interval: 50 }))
  return {
    env: { DAG_SIDECAR: `${python} ${path.join(root, 'test/faults/in-cgroup.py')} ${group}` },
    leave(bytes) {
      const used = Number(/^total_rss (\d+)$/m.exec(readFileSync(path.join(group, 'memory.stat'), 'utf8'))?.[1])
      writeFileSync(path.join(group, 'memory.limit_in_bytes'), `${used + bytes}`)
    },
  }
}

const words = 'The tide comes in, the tide goes out, and nobody counts the stones that it turns over on its way. '

/** 8 prompts of some 300 tokens, answered at once. */
function longPrompts(): Workspace {
  const workspace = freshWorkspace()
  workspace.write(
    workflowFile,
    `workflow: long
models:
  small: { source: ${smollm2}, dtype: bfloat16 }
organisms: { from: ../organisms/list.yaml }
prompts: { from: ../prompts, sets: [long] }
steps:
  answers: { kind: generate, model: small, max_new_tokens: 2, batch_size: 8 }
`,
  )
  workspace.write('organisms/list.yaml', `organisms: { control: { adapter: ${path.join(root, 'datasets/organisms/control/adapter')} } }\n`)
  const prompts = Array.from({ length: 8 }, (_each, index) => `${index + 1}. ${words.repeat(12)}What is number ${index}?`)
  workspace.write('prompts/long.json', promptSet('long', prompts))
  return workspace
}

test.skipIf(lack)('a model that the kernel ends for want of memory goes on with half as much at once, and that is remembered', async () => {
  const undisturbed = longPrompts()
  await run(undisturbed)
  const workspace = longPrompts()
  const group = controlGroup()
  const loads: RunEvent[] = []
  const { code, events } = await runUntil(
    workspace,
    (event) => {
      if (event.type === 'state-changed' && event.change === 'base-loaded') group.leave(loads.push(event) === 1 ? 100e6 : 4e9)
      return loads.length === 2
    },
    () => {},
    group.env,
  )
  const shrunk = events.flatMap(
    (event) => (event.type === 'setup' ? /^memory ran out; .* (\d+) tokens/.exec(event.text)?.[1] : undefined) ?? [],
  )
  expect(shrunk).toHaveLength(1)
  expect([code, events.at(-1)]).toEqual([
    0,
    expect.objectContaining({ outcome: 'done', cells: { ran: 8, reused: 0, failed: 0 }, modelLoads: 2 }),
  ])
  expect(remembered(workspace)).toEqual(shrunk.map(Number))
  expect(cellDigests(workspace)).toEqual(cellDigests(undisturbed))
})

function remembered(workspace: Workspace): number[] {
  const index = new DatabaseSync(workspace.at('cache/index.db'), { readOnly: true })
  const rows = index.prepare('SELECT tokens FROM token_limits').all()
  index.close()
  return rows.map((row) => Number(row.tokens))
}
