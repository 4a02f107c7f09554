import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, vi } from 'vitest'
import { cellDigests } from './cells.ts'
import { run } from './dag.ts'
import { root } from './paths.ts'
import { isAlive } from './processes.ts'
import { freshWorkspace, organismList, type Workspace, workflowFile } from './workspace.ts'

/** A workspace whose answers come from the scripted sidecar: 3 organisms, 2 prompts each, a batch an organism. */
export interface FakeWorkspace extends Workspace {
  readonly env: Readonly<Record<string, string>>
  /** Numbers of all sidecar processes that were started. */
  started(): number[]
  /** Methods that were asked for, in order. */
  asked(): string[]
  /** Sidecars that still live. */
  orphans(): number[]
  /** In the mode `waits`: settled when a batch is being worked on. */
  atWork(): Promise<void>
  /** In the mode `waits`: lets this batch and all others come to their end. */
  goOn(): void
}

/** For what must come, however busy the machine is. */
export const patience = { timeout: 60_000, interval: 10 }

const program = path.join(root, 'test', 'support', 'fake-sidecar.ts')

/** The sidecar misbehaves in the way of `mode` in its first `times` lives. */
export function fakeWorkspace(mode: string, times: number = Number.POSITIVE_INFINITY, silence = 60): FakeWorkspace {
  return workspaceWith((folder) => [process.execPath, program, mode, `${times}`, folder], silence)
}

/** The sidecar is a Python program, which becomes a well-behaved one in its second life. */
export function pythonWorkspace(script: string, python: string, silence: number): FakeWorkspace {
  const file = path.join(root, 'test', 'support', script)
  return workspaceWith((folder) => [python, file, folder, process.execPath, program, 'behaves', '0', folder], silence)
}

function workspaceWith(command: (folder: string) => string[], silence: number): FakeWorkspace {
  const workspace = freshWorkspace()
  const folder = workspace.at('fake')
  mkdirSync(folder)
  workspace.write(
    workflowFile,
    `workflow: answers
models:
  tiny: { source: ../models/model, dtype: bfloat16 }
organisms: { from: ../organisms/list.yaml }
prompts: { from: ../prompts, sets: [two] }
steps:
  answers: { kind: generate, model: tiny, max_new_tokens: 6, batch_size: 2 }
`,
  )
  workspace.write('organisms/list.yaml', organismList(['alpha', 'beta', 'gamma']))
  const lines = (name: string) => {
    const file = path.join(folder, name)
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []
  }
  const started = () => lines('starts').map(Number)
  return {
    ...workspace,
    env: { DAG_SIDECAR: command(folder).join(' '), DAG_SIDECAR_SILENCE: `${silence}` },
    started,
    asked: () => lines('asked'),
    orphans: () => started().filter(isAlive),
    atWork: () => vi.waitFor(() => expect(existsSync(path.join(folder, 'at-work'))).toBe(true), patience),
    goOn: () => writeFileSync(path.join(folder, 'go-on'), ''),
  }
}

let undisturbed: Promise<Map<string, string>> | undefined

/** No sidecar lives, and the cells are those of a run in which nothing went wrong. */
export async function expectUndisturbed(workspace: FakeWorkspace): Promise<void> {
  undisturbed ??= (async () => {
    const quiet = fakeWorkspace('behaves', 0)
    await run(quiet, quiet.env)
    return cellDigests(quiet)
  })()
  expect((await undisturbed).size).toBe(6)
  expect(cellDigests(workspace)).toEqual(await undisturbed)
  expect(workspace.orphans()).toEqual([])
}
